"""Random neurites and their mitochondria, as strings of balls. Lengths are in voxels of 8 nm."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dvidpc.demo.fields import Floats, Shape

_MARGIN = 60
"""Neurites grow this far outside the volume, so that they do not thin out towards its faces."""
_VOXELS_PER_NEURITE = 420_000
_LENGTH = 700


class Balls(NamedTuple):
    """Overlapping balls."""

    centres: Floats
    """[n, 3]: z, y, x."""
    radii: Floats
    cores: Floats
    """The radius of the mitochondrion inside each ball; 0 where there is none."""
    owners: NDArray[np.int32]
    """The index of the neurite that each ball belongs to; ascending."""

    def distances(self, places: Floats) -> Floats:
        """Return how far each of *places*, [3, n], is from the surface of each ball; negative inside."""
        ones = np.ones_like(places[:1])
        terms = np.column_stack([-2 * self.centres, (self.centres**2).sum(axis=1), np.ones_like(self.radii)])
        # Not a matrix product: BLAS starts threads for it, which take longer than the product.
        squares = np.einsum("bk,kn->bn", terms, np.vstack([places, ones, (places**2).sum(axis=0)]))
        distances: Floats = np.sqrt(np.maximum(squares, 0)) - self.radii[:, None]
        return distances

    def nearest(self, places: Floats, lead: float) -> "Balls":
        """Return the balls that are at most *lead* further than the nearest one from any of *places*."""
        distances = self.distances(places)
        chosen = (distances < distances.min(axis=0) + lead).any(axis=1)
        return Balls(*(column[chosen] for column in self))


def grow_neurites(rng: np.random.Generator, shape: Shape) -> Balls:
    """Return neurites, thick and thin, that fill a volume and a margin around it."""
    extent = np.array(shape) + 2 * _MARGIN
    strings = [_grow_neurite(rng, extent) for _ in range(max(8, int(extent.prod()) // _VOXELS_PER_NEURITE))]
    centres, radii = (np.concatenate(parts).astype(np.float32) for parts in zip(*strings, strict=True))
    owners = np.repeat(np.arange(len(strings), dtype=np.int32), [len(radii) for _, radii in strings])
    is_core = (radii > 11) & (np.arange(len(radii)) % 11 < 5)
    cores = np.where(is_core, np.minimum(0.5 * radii + 2, 18), 0).astype(np.float32)
    inside = ((centres > -_MARGIN) & (centres < extent - _MARGIN)).all(axis=1)
    return Balls(centres[inside], radii[inside], cores[inside], owners[inside])


def _grow_neurite(
    rng: np.random.Generator, extent: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return centres and radii of balls along a path whose direction and thickness vary slowly."""
    calibre = np.clip(rng.lognormal(np.log(13), 0.55), 5, 38)
    step = np.clip(0.8 * calibre, 9, 24)
    count = int(_LENGTH / step)
    heading = 0.065 * np.sqrt(step) * rng.standard_normal((count, 3)).cumsum(axis=0)
    heading += rng.standard_normal(3)
    path = step * (heading / np.linalg.norm(heading, axis=1, keepdims=True)).cumsum(axis=0)
    middle = rng.random(3) * extent - _MARGIN
    swelling = 0.4 * np.sin(0.4 * rng.standard_normal(count).cumsum() + rng.uniform(0, 6))
    return path - path[count // 2] + middle, calibre * np.exp(swelling)
