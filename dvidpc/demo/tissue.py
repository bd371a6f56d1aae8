"""Made-up nervous tissue: the neurite of each voxel, and what an electron microscope would show.

Lengths are in voxels of 8 nm. Shapes are computed on a lattice of every second voxel and interpolated.
"""

from itertools import product
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dvidpc.demo.fields import Axes, Floats, Shape, SmoothField
from dvidpc.demo.neurites import Balls, grow_neurites

Region: TypeAlias = tuple[slice, slice, slice]
"""A box of voxels, [z, y, x]. Its starts are even."""

_PATCH = 12
"""Lattice points along the side of a patch. Its points are compared only with balls near the patch."""
_LEAD = 20
"""A ball this much further than the nearest one does not matter."""
_HALO = 2
"""Voxels around a region that are drawn because they are blurred into it; even, like all starts."""
_TILE = 97
"""Side of the cube of fine texture that is repeated through the volume."""
_MEMBRANE_HALF_WIDTH = 1.4
_CYTOPLASM, _MATRIX, _MEMBRANE = 152, 108, 54
"""Brightness of the insides of neurites and mitochondria, and of membranes."""


class Drawing(NamedTuple):
    """The tissue in a region."""

    image: NDArray[np.uint8]
    """The brightness of each voxel."""
    labels: NDArray[np.uint64]
    """The neurite of each voxel, counted from 1; 0 is membrane."""


class _Lattice(NamedTuple):
    """The tissue on lattice points."""

    owner: NDArray[np.int32]
    """The index of the neurite."""
    depth: Floats
    """The distance from its membrane."""
    organelle: Floats
    """The distance from the membrane of a mitochondrion; positive inside."""


class Tissue:
    """Neurites that fill a volume of *shape*. The same shape and seed give the same tissue."""

    def __init__(self, shape: Shape, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._neurites = grow_neurites(rng, shape)
        self._tints = rng.normal(0, 9, int(self._neurites.owners[-1]) + 1).astype(np.float32)
        self._bends = [SmoothField(rng, shape, spacing=18) for _ in range(3)]
        self._activity = SmoothField(rng, shape, spacing=40)
        self._grain = _make_grain(rng)
        self._vesicles = _make_vesicles(rng)

    def draw(self, region: Region) -> Drawing:
        """Draw a region."""
        voxels = [np.arange(s.start - _HALO, s.stop + _HALO) for s in region]
        places = self._bend(voxels)
        lattice = self._draw(places)
        depth = _interpolate(lattice.depth, voxels)
        value = _blur(self._sharp_image(voxels, places, lattice, depth))
        value += self._grain[np.ix_(*(positions[_HALO:-_HALO] % _TILE for positions in voxels))]
        return Drawing(np.clip(value, 0, 255).astype(np.uint8), _label(lattice.owner, depth))

    def activity(self, voxels: Axes) -> Floats:
        """Return how active synapses are on a grid, [z, y, x]: below 1.5 none is drawn."""
        return self._activity.at(voxels)

    def _sharp_image(self, voxels: Axes, places: Floats, lattice: _Lattice, depth: Floats) -> Floats:
        """Return brightness without blur and noise. Where activity is high, there are synapses."""
        shade = _CYTOPLASM + self._tints[lattice.owner]
        matrix = _MATRIX + 17 * np.sin(0.42 * places.sum(axis=0) + lattice.owner)  # Its waves are cristae.
        matrix += (_MEMBRANE + 12 - matrix) * np.exp(-(((lattice.organelle - 1) / 1.4) ** 2))
        shade += (matrix - shade) * np.clip(lattice.organelle + 1, 0, 1)
        value = _interpolate(shade, voxels)
        activity = self._activity.at(voxels)
        clear = np.clip((value - 130) / 8, 0, 1) * np.clip(depth / 2 - 1.5, 0, 1)
        vesicles = self._vesicles[np.ix_(*(positions % _TILE for positions in voxels))]
        value *= 1 - vesicles * clear * np.clip(6 * activity - 4, 0, 1)
        width = _MEMBRANE_HALF_WIDTH * (1 + 0.6 * np.clip(2 * activity - 3, 0, 1))
        value += (_MEMBRANE - value) / (1 + np.square(np.square(depth / width)))
        return value

    def _bend(self, voxels: Axes) -> Floats:
        """Return where the tissue grew, [3, z, y, x], at the lattice points that enclose *voxels*."""
        points = [np.arange(positions[0], positions[-1] + 2, 2) for positions in voxels]
        bends = np.array([6 * bend.at(points) for bend in self._bends])
        return bends + np.array(np.meshgrid(*points, indexing="ij"), np.float32)

    def _draw(self, places: Floats) -> _Lattice:
        """Draw the tissue that grew at *places*, [3, z, y, x], patch by patch."""
        shape = places.shape[1:]
        balls = _gather(self._neurites, places)
        lattice = _Lattice(
            np.empty(shape, np.int32), np.empty(shape, np.float32), np.empty(shape, np.float32)
        )
        for corner in product(*(range(0, n, _PATCH) for n in shape)):
            patch = tuple(slice(c, c + _PATCH) for c in corner)
            part = places[:, *patch]
            for whole, values in zip(lattice, _draw_patch(balls, part), strict=True):
                whole[patch] = values.reshape(part.shape[1:])
        return lattice


def _gather(balls: Balls, places: Floats) -> Balls:
    """Return the balls that may matter at *places*, [3, z, y, x]."""
    places = places.reshape(3, -1)
    middle = places.mean(axis=1, keepdims=True)
    reach = np.sqrt(((places - middle) ** 2).sum(axis=0).max())
    return balls.nearest(middle, 2 * reach + _LEAD)


def _draw_patch(balls: Balls, places: Floats) -> _Lattice:
    """Draw the tissue at *places*, [3, z, y, x]; the result is flat.

    A place is in the neurite of the ball whose surface is nearest; at the membrane, two are as near.
    """
    balls = _gather(balls, places).nearest(places[:, ::3, ::3, ::3].reshape(3, -1), _LEAD)
    distances = balls.distances(places.reshape(3, -1))
    starts = np.flatnonzero(np.diff(balls.owners, prepend=-1))
    each = np.stack([part.min(axis=0) for part in np.split(distances, starts[1:])])
    nearest, first = each.argmin(axis=0), each.min(axis=0)
    np.put_along_axis(each, nearest[None], first + 2 * _LEAD, axis=0)
    owner, depth = balls.owners[starts][nearest], (each.min(axis=0) - first) / 2
    organelle = np.full_like(depth, -_LEAD)
    has_core = balls.cores > 0
    if has_core.any():
        cores = (distances + (balls.radii - balls.cores)[:, None])[has_core]
        is_own = balls.owners[has_core][cores.argmin(axis=0)] == owner
        organelle = np.where(is_own, np.minimum(-cores.min(axis=0), depth - 4), organelle)
    return _Lattice(owner, depth, organelle)


def _label(owner: NDArray[np.int32], depth: Floats) -> NDArray[np.uint64]:
    """Return the labels inside the halo, given the owners on the lattice and the depth of each voxel."""
    inner = tuple(slice(_HALO, n - _HALO) for n in depth.shape)
    labels = (owner + 1).astype(np.uint64)
    for axis in range(3):
        labels = labels.repeat(2, axis)
    return np.where(depth[inner] < _MEMBRANE_HALF_WIDTH, np.uint64(0), labels[inner])


def _interpolate(lattice: Floats, voxels: Axes) -> Floats:
    """Return the values on a grid of voxels, given those on the lattice that encloses it."""
    for axis, positions in enumerate(voxels):
        points = np.moveaxis(lattice, axis, 0)
        lines = np.empty((2 * len(points) - 1, *points.shape[1:]), np.float32)
        lines[::2] = points
        lines[1::2] = (points[1:] + points[:-1]) / 2
        lattice = np.moveaxis(lines[: len(positions)], 0, axis)
    return np.ascontiguousarray(lattice)


def _blur(image: Floats) -> Floats:
    """Weigh neighbours 1:2:1 along each axis, and cut off the halo."""
    for axis in range(3):
        lines = np.moveaxis(image, axis, 0)
        image = np.moveaxis((lines[1:-3] + 2 * lines[2:-2] + lines[3:-1]) * np.float32(0.25), 0, axis)
    return image


def _make_grain(rng: np.random.Generator) -> Floats:
    """Return a tile of the cytoplasm's texture and the microscope's noise."""
    noise = 7 * rng.standard_normal((_TILE,) * 3, dtype=np.float32)
    return noise + 6 * SmoothField(rng, (_TILE,) * 3, spacing=3).at([np.arange(_TILE)] * 3)


def _make_vesicles(rng: np.random.Generator) -> Floats:
    """Return a tile of shells, and how much darker they are than what is around them."""
    size = 9
    radius = np.linalg.norm(np.indices((size,) * 3) - size // 2, axis=0)
    shell = 0.4 * np.exp(-(((radius - 1.6) / 1.3) ** 2))
    tile = np.zeros((_TILE,) * 3, np.float32)
    for corner in rng.integers(0, _TILE - size, (_TILE**3 // 400, 3)):
        around = tuple(slice(c, c + size) for c in corner)
        tile[around] = np.maximum(tile[around], shell)
    return tile
