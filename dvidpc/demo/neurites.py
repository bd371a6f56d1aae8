"""Neurites and mitochondria as strings of balls, grown at random. Lengths are in voxels of 8 nm."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dvidpc.demo.noise import Floats

_MARGIN = 60
"""How far outside the volume neurites are grown, lest those at its faces look different."""
_VOXELS_EACH = 280_000
_LENGTH = 700
_THICK = 11
"""The mean radius from which a neurite has mitochondria."""


class Balls(NamedTuple):
    """Overlapping balls; centres are (z, y, x)."""

    centres: Floats
    radii: Floats

    def planes(self, origin: Floats) -> Floats:
        """Each ball as a plane over (z, y, x, 1) from *origin*; the nearest ball's is the highest.

        A plane's height is half the ball's power (its radius squared less the distance
        squared), plus what does not depend on the ball: half the squared distance to *origin*.
        """
        offsets = self.centres - origin
        heights = (self.radii**2 - (offsets**2).sum(axis=1)) / 2
        return np.column_stack([offsets, heights])


@dataclass(frozen=True, slots=True)
class Mitochondrion:
    """A string of balls in the neurite *owner*, with cristae stacked along *axis*."""

    balls: Balls
    owner: int
    axis: Floats
    phase: float


class Neurites(NamedTuple):
    """All neurites; they are known by their numbers."""

    balls: Balls
    owners: NDArray[np.int32]
    """Which neurite each ball belongs to; ascending."""
    tints: Floats
    """How bright each neurite is compared with others."""
    mitochondria: list[list[Mitochondrion]]
    """Those of each neurite."""


def grow_neurites(rng: np.random.Generator, shape: tuple[int, int, int]) -> Neurites:
    """Enough neurites, thick and thin, to fill *shape*."""
    extent = np.array(shape) + 2 * _MARGIN
    strings = [_grow_neurite(rng, extent) for _ in range(max(8, int(extent.prod()) // _VOXELS_EACH))]
    centres, radii = (np.concatenate(column) for column in zip(*strings, strict=True))
    owners = np.repeat(np.arange(len(strings), dtype=np.int32), [len(s.radii) for s in strings])
    inside = ((centres > -_MARGIN) & (centres < extent - _MARGIN)).all(axis=1)
    is_dark = rng.random(len(strings)) < 0.12
    tints = 7 * rng.standard_normal(len(strings)) - 16 * is_dark
    return Neurites(
        Balls(centres[inside], radii[inside]),
        owners[inside],
        tints.astype(np.float32),
        [list(_grow_mitochondria(rng, string, number)) for number, string in enumerate(strings)],
    )


def _grow_neurite(rng: np.random.Generator, extent: NDArray[np.int64]) -> Balls:
    """A neurite drifts in direction, swells and shrinks."""
    calibre = np.clip(rng.lognormal(np.log(12), 0.55), 5, 38)
    step = np.clip(0.8 * calibre, 9, 24)
    steps = int(_LENGTH / step)
    drift = 0.065 * np.sqrt(step) * rng.standard_normal((steps, 3)).cumsum(axis=0)
    heading = _unit(_unit(rng.standard_normal(3)) + drift)
    path = step * heading.cumsum(axis=0)
    start = rng.random(3) * extent - _MARGIN
    swelling = 0.4 * np.sin(0.4 * rng.standard_normal(steps).cumsum() + rng.uniform(0, 6))
    centres = start + path - path[steps // 2]
    return Balls(centres.astype(np.float32), (calibre * np.exp(swelling)).astype(np.float32))


def _grow_mitochondria(rng: np.random.Generator, neurite: Balls, owner: int) -> Iterator[Mitochondrion]:
    """Mitochondria here and there along a neurite, if it is thick enough."""
    if neurite.radii.mean() < _THICK:
        return
    steps = np.linalg.norm(np.diff(neurite.centres, axis=0), axis=1)
    milestones = np.concatenate([[0], steps.cumsum()])
    start = rng.uniform(0, 120)
    while start < milestones[-1]:
        length = rng.uniform(40, 190)
        along = np.arange(start, start + length, 5)
        centres = np.column_stack([np.interp(along, milestones, column) for column in neurite.centres.T])
        taper = 1 - 0.3 * np.linspace(-1, 1, len(along)) ** 4
        radii = rng.uniform(12, 21) * taper * np.exp(0.06 * rng.standard_normal(len(along)))
        yield Mitochondrion(
            Balls((centres + rng.normal(0, 4, 3)).astype(np.float32), radii.astype(np.float32)),
            owner,
            axis=_unit(rng.standard_normal(3)).astype(np.float32),
            phase=rng.uniform(0, 6),
        )
        start += length + rng.uniform(50, 300)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    units: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return units
