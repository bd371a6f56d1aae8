"""Planes at any angle: the positions of their pixels, the chunks they need, and interpolation.

Positions are nanometers from the origin of absolute coordinates. A voxel's value belongs to its lower corner,
as in DVID.  (arb_image.go, 3400c2cb)

All functions are pure and may run in any thread. For 65,536 pixels they take milliseconds.
"""

import itertools
import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import RequestError
from dvidpc.formats.grid import Grid
from dvidpc.types import ChunkCoord

Vector = tuple[float, float, float]

_CORNERS = tuple(itertools.product((0, 1), repeat=3))
"""Corners of the cube of voxels around a position, along x, y, z: 0 is below it, 1 above."""


@dataclass(frozen=True, slots=True)
class Plane:
    """A parallelogram in space, usually a rectangle, and its pixels."""

    top_left: Vector
    step_right: Vector
    """From one pixel to the next in a row."""
    step_down: Vector
    """From one row to the next."""
    width: int
    height: int


class Patch(NamedTuple):
    """A rectangular part of a plane, in pixels."""

    row: int
    column: int
    height: int
    width: int


def plane_between(top_left: Vector, top_right: Vector, bottom_left: Vector, resolution_nm: float) -> Plane:
    """Return the plane with these corners; its corner pixels lie on them.

    Raises:
        RequestError: The plane has no extent, or its number of pixels is not finite. (If *resolution_nm*
            is 0, DVID sends an image of 2147483647 pixels per side.)
    """
    if not all(map(math.isfinite, (*top_left, *top_right, *bottom_left, resolution_nm))):
        raise RequestError("Bad arbitrary image size requested: corners and resolution must be finite")
    if resolution_nm <= 0:
        raise RequestError(
            f"Bad arbitrary image size requested: resolution {resolution_nm:g} is not positive"
        )
    width, step_right = _edge(top_left, top_right, resolution_nm)
    height, step_down = _edge(top_left, bottom_left, resolution_nm)
    return Plane(top_left, step_right, step_down, width, height)


def patches_of(plane: Plane, side: int) -> Iterator[Patch]:
    """Yield patches of *side* times *side* pixels that make up *plane*, clipped at its edges."""
    for row, column in itertools.product(range(0, plane.height, side), range(0, plane.width, side)):
        yield Patch(row, column, min(side, plane.height - row), min(side, plane.width - column))


class Sampler:
    """Collects the voxels that the pixels of a patch need, chunk by chunk, and interpolates them.

    Args:
        plane: The plane.
        patch: The part of the plane to sample.
        grid: The grid of the scale's chunks.
        resolution_nm: Edge lengths of a voxel.
    """

    def __init__(self, plane: Plane, patch: Patch, grid: Grid, resolution_nm: Vector) -> None:
        positions = _positions(plane, patch) / np.asarray(resolution_nm)
        below = np.floor(positions)
        self._shape = (patch.height, patch.width)
        self._grid = grid
        self._fractions = (positions - below).T
        self._places, self._voxels = _neighbours(below, np.ceil(positions), grid)
        self._order, self._parts = _by_cell(self._voxels, grid)
        self._values: NDArray[Any] | None = None

    @property
    def cells(self) -> Collection[ChunkCoord]:
        """The chunks that the patch needs."""
        return self._parts.keys()

    def add(self, cell: ChunkCoord, chunk_czyx: NDArray[Any]) -> None:
        """Take the needed voxels from a decoded chunk; voxels of chunks never added count as zero."""
        if self._values is None:
            count = 8 * self._shape[0] * self._shape[1]
            self._values = np.zeros((chunk_czyx.shape[0], count), chunk_czyx.dtype)
        chosen = self._order[self._parts[cell]]
        start = self._grid.chunk_box(cell).start
        x, y, z = (self._voxels[axis][chosen] - start[axis] for axis in range(3))
        self._values[:, self._places[chosen]] = chunk_czyx[:, z, y, x]

    def pixels(self) -> NDArray[Any] | None:
        """Return the patch, `[value, row, column]`, interpolated and rounded; None if no chunk was added."""
        if self._values is None:
            return None
        corners = self._values.reshape(self._values.shape[0], 8, -1)
        return _interpolate(corners, self._fractions).reshape(-1, *self._shape)


def _edge(start: Vector, stop: Vector, resolution_nm: float) -> tuple[int, Vector]:
    """Return the number of pixels along an edge and the step between them."""
    length = math.dist(start, stop)
    if length == 0 or not math.isfinite(length / resolution_nm):
        raise RequestError(
            f"Bad arbitrary image size requested: an edge of {length:g} nm at {resolution_nm:g} nm a pixel"
        )
    steps = math.floor(length / resolution_nm)
    x, y, z = ((b - a) / max(steps, 1) for a, b in zip(start, stop, strict=True))
    return steps + 1, (x, y, z)


def _positions(plane: Plane, patch: Patch) -> NDArray[Any]:
    """Return the position in nanometers of every pixel of *patch*: `[row * width + column, axis]`."""
    rows = np.arange(patch.row, patch.row + patch.height)[:, None, None] * np.asarray(plane.step_down)
    columns = np.arange(patch.column, patch.column + patch.width)[None, :, None] * np.asarray(
        plane.step_right
    )
    return np.asarray((np.asarray(plane.top_left) + rows + columns).reshape(-1, 3))


def _neighbours(below: NDArray[Any], above: NDArray[Any], grid: Grid) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the volume's voxels around the pixels: flat indexes into `[corner, pixel]`, and `[axis, n]`."""
    # Compared as floats, because a plane may lie beyond the range of integers.
    corners = np.stack(
        [[(below, above)[corner[axis]][:, axis] for axis in range(3)] for corner in _CORNERS], axis=1
    ).reshape(3, -1)
    start, stop = (np.asarray(point, dtype=float)[:, None] for point in grid.box)
    places = np.flatnonzero(((corners >= start) & (corners < stop)).all(axis=0))
    return places, corners[:, places].astype(np.int64)


def _by_cell(voxels: NDArray[Any], grid: Grid) -> tuple[NDArray[Any], dict[ChunkCoord, slice]]:
    """Return an order of *voxels*, `[axis, n]`, that groups them by chunk, and each chunk's slice of it."""
    cells = grid.cells
    x, y, z = ((voxels[axis] - grid.offset[axis]) // grid.chunk_size[axis] for axis in range(3))
    numbers = (z * cells.y + y) * cells.x + x
    order = np.argsort(numbers, kind="stable")
    distinct, starts = np.unique(numbers[order], return_index=True)
    bounds = itertools.pairwise([*starts.tolist(), len(numbers)])
    return order, {
        ChunkCoord(n % cells.x, n // cells.x % cells.y, n // (cells.x * cells.y)): slice(*part)
        for n, part in zip(distinct.tolist(), bounds, strict=True)
    }


def _interpolate(corners: NDArray[Any], fractions: NDArray[Any]) -> NDArray[Any]:
    """Interpolate between *corners* `[value, corner, pixel]`; return `[value, pixel]`, rounded half up."""
    x, y, z = fractions
    mixed = np.zeros((corners.shape[0], corners.shape[2]))
    for number, (at_x, at_y, at_z) in enumerate(_CORNERS):
        weight = (x if at_x else 1 - x) * (y if at_y else 1 - y) * (z if at_z else 1 - z)
        mixed += weight * corners[:, number]
    most = np.iinfo(corners.dtype).max
    return np.minimum(np.floor(mixed + 0.5), most).astype(corners.dtype)
