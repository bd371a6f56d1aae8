"""Nervous tissue that never was: how far its membranes are, and how bright what they hold.

Worked out on a lattice of every second voxel, between which both are smooth enough to
interpolate. Lengths are in voxels of 8 nm.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dvidpc.demo.neurites import Balls, Mitochondrion, Neurites, grow_neurites
from dvidpc.demo.noise import Floats, smooth_noise

Ints: TypeAlias = NDArray[np.int32]
Shape: TypeAlias = tuple[int, int, int]
Region: TypeAlias = tuple[slice, slice, slice]

LATTICE_STEP = 2
"""Voxels from one lattice point to the next."""
MEMBRANE = 54
"""How bright membranes are."""

_PATCH = 20
"""Lattice points along the side of a patch, the part computed at a time."""
_DEPTH_LIMIT = 60
"""The depth given to what is so deep in a neurite that no other is near."""
_NEAR = 110
"""How far from a patch balls may matter."""
_SAMPLING = 5
"""The step between those of a patch's points that choose the balls that matter,"""
_REACH = 13
"""if their border with the nearest ball is no further: half a sampling step away, and a membrane beyond."""

_CYTOPLASM, _RETICULUM, _MATRIX, _MITOCHONDRIAL_MEMBRANE = 152, 86, 110, 70
_CRISTA = 17
"""How much brighter and darker than the matrix cristae are,"""
_CRISTA_PERIOD = 9
"""and how far apart."""


class Anatomy(NamedTuple):
    """The tissue on lattice points, [z, y, x]; the last ones are at or past the volume's end."""

    depth: Floats
    """How far the membrane of the neurite is."""
    shade: Floats
    """How bright its inside is."""


@dataclass(frozen=True, slots=True)
class _Fields:
    """What varies smoothly through the tissue, [z, y, x] on lattice points."""

    warp: Floats
    """[3, z, y, x]: from each point to where its tissue grew, before all was bent."""
    sheets: Floats
    """Reticulum lies where this crosses zero,"""
    richness: Floats
    """and this is high."""
    ripple: Floats
    """What makes cristae wavy."""


@dataclass(frozen=True, slots=True)
class _Patch:
    """A region of the lattice, its points in a row."""

    region: Region
    size: Shape
    origin: Floats
    """The middle of where its tissue grew."""
    places: Floats
    """[4, points]: z, y, x and 1 of where each point's tissue grew, from the origin."""


def make_anatomy(rng: np.random.Generator, shape: Shape, report: Callable[[float], None]) -> Anatomy:
    """Tissue for a volume of *shape* voxels; *report* hears the fraction done."""
    neurites = grow_neurites(rng, shape)
    lattice = tuple((n + 1) // LATTICE_STEP + 1 for n in shape)
    fields = _make_fields(rng, lattice)
    anatomy = Anatomy(np.empty(lattice, np.float32), np.empty(lattice, np.float32))
    regions = list(_split(lattice))
    for done, region in enumerate(regions, 1):
        patch = _make_patch(fields.warp, region)
        depth, owner = _locate(neurites, patch)
        shade = _CYTOPLASM + neurites.tints[owner]
        _add_reticulum(shade, depth, fields, region)
        ripple = fields.ripple[region].ravel()
        for m in (m for number in np.unique(owner) for m in neurites.mitochondria[number]):
            _add_mitochondrion(shade, depth, owner, m, patch, ripple)
        anatomy.depth[region], anatomy.shade[region] = depth.reshape(patch.size), shade.reshape(patch.size)
        report(done / len(regions))
    return anatomy


def _make_fields(rng: np.random.Generator, lattice: tuple[int, ...]) -> _Fields:
    warp = [7 * smooth_noise(rng, lattice, 15) + 2.5 * smooth_noise(rng, lattice, 5) for _ in range(3)]
    return _Fields(
        np.stack(warp),
        sheets=smooth_noise(rng, lattice, 6),
        richness=smooth_noise(rng, lattice, 20),
        ripple=smooth_noise(rng, lattice, 3),
    )


def _split(lattice: tuple[int, ...]) -> Iterator[Region]:
    starts = [range(0, n, _PATCH) for n in lattice]
    for z in starts[0]:
        for y in starts[1]:
            for x in starts[2]:
                yield slice(z, z + _PATCH), slice(y, y + _PATCH), slice(x, x + _PATCH)


def _make_patch(warp: Floats, region: Region) -> _Patch:
    bend = warp[:, *region]
    size = bend.shape[1:]
    places = np.ones((4, *size), np.float32)
    places[:3] = bend + LATTICE_STEP * np.indices(size, np.float32)
    places = places.reshape(4, -1)
    middle = places[:3].mean(axis=1)
    places[:3] -= middle[:, None]
    corner = np.array([LATTICE_STEP * s.start for s in region], np.float32)
    return _Patch(region, (size[0], size[1], size[2]), corner + middle, places)


def _locate(neurites: Neurites, patch: _Patch) -> tuple[Floats, Ints]:
    """How deep each point is, and in which neurite.

    It is in that of the nearest ball. The nearest ball of any other neurite lies across
    the membrane, and how much nearer the one is than the other tells how far that is.
    """
    planes, owners = _candidates(neurites, patch)
    ranks = _rank(planes, patch.places)
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    best = np.full(ranks.shape[1], np.iinfo(np.int32).min // 2, np.int32)
    second = best.copy()
    for start, stop in zip(starts, [*starts[1:], len(owners)], strict=True):
        rank = ranks[start:stop].max(axis=0)
        np.maximum(second, np.minimum(best, rank), out=second)
        np.maximum(best, rank, out=best)
    owner = owners[best & _INDEX_MASK]
    if len(starts) == 1:
        return np.full(len(owner), _DEPTH_LIMIT, np.float32), owner
    apart = np.linalg.norm(planes[:, None, :3] - planes[:, :3], axis=2) + 1e-3
    lead = ((best >> _INDEX_BITS) - (second >> _INDEX_BITS)).astype(np.float32) / _FINENESS
    return np.minimum(lead / apart[best & _INDEX_MASK, second & _INDEX_MASK], _DEPTH_LIMIT), owner


def _candidates(neurites: Neurites, patch: _Patch) -> tuple[Floats, Ints]:
    """Planes and owners of those balls that may be nearest, or across a membrane that is near."""
    near = np.flatnonzero((np.abs(neurites.balls.centres - patch.origin) < _NEAR).all(axis=1))
    planes = Balls(neurites.balls.centres[near], neurites.balls.radii[near]).planes(patch.origin)
    every = slice(None, None, _SAMPLING)
    samples = patch.places.reshape(4, *patch.size)[:, every, every, every].reshape(4, -1)
    heights = samples.T @ planes.T
    nearest = planes[heights.argmax(axis=1), :3]
    centres = planes[:, :3]
    squared = (nearest**2).sum(axis=1)[:, None] + (centres**2).sum(axis=1) - 2 * nearest @ centres.T
    lag = heights.max(axis=1, keepdims=True) - heights
    kept = (lag**2 <= _REACH**2 * np.maximum(squared, 1)).any(axis=0)
    return planes[kept], neurites.owners[near[kept]]


_FINENESS = 32
_INDEX_BITS = 10
_INDEX_MASK = (1 << _INDEX_BITS) - 1


def _rank(planes: Floats, places: Floats) -> Ints:
    """How high each plane is over each place, in steps of 1/_FINENESS, with its index in the lowest bits.

    One comparison then finds the highest and which it is, several times faster than argmax.
    """
    ranks = (planes @ places * _FINENESS).astype(np.int32)
    ranks <<= _INDEX_BITS
    ranks |= np.arange(len(planes), dtype=np.int32)[:, None]
    return ranks


def _add_reticulum(shade: Floats, depth: Floats, fields: _Fields, region: Region) -> None:
    sheet = np.clip(1.6 - 9 * np.abs(fields.sheets[region].ravel()), 0, 0.85)
    rich = np.clip(3 * fields.richness[region].ravel(), 0, 1)
    shade += (_RETICULUM - shade) * sheet * rich * np.clip(depth / 4 - 1.75, 0, 1)


def _add_mitochondrion(
    shade: Floats, depth: Floats, owner: Ints, m: Mitochondrion, patch: _Patch, ripple: Floats
) -> None:
    """Darken what is inside *m*, which keeps clear of its neurite's membrane."""
    reach = np.abs(patch.places[:3]).max(axis=1) + m.balls.radii[:, None]
    near = (np.abs(m.balls.centres - patch.origin) < reach).all(axis=1)
    if not near.any():
        return
    room = np.where(owner == m.owner, depth - 4, -1)
    power = 2 * (m.balls.planes(patch.origin)[near] @ patch.places).max(axis=0) - (patch.places[:3] ** 2).sum(
        axis=0
    )
    inside = np.minimum(power / (2 * m.balls.radii.mean()), room)
    at = np.flatnonzero(inside > -1)
    inside = inside[at]
    layers = m.axis @ (patch.places[:3, at] + patch.origin[:, None]) * (2 * np.pi / _CRISTA_PERIOD)
    inner = _MATRIX + _CRISTA * np.sin(layers + 1.4 * ripple[at] + m.phase)
    inner += (_MITOCHONDRIAL_MEMBRANE - inner) * np.exp(-(((inside - 1) / 1.4) ** 2))
    shade[at] += (inner - shade[at]) * np.clip(inside + 1, 0, 1)
