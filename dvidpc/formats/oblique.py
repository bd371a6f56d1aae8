"""Planes at any angle: where their pixels lie, which chunks those need, and what they are.

Positions are nanometers from the origin of absolute coordinates; a voxel's value is that of its lower corner,
as in DVID.  (arb_image.go, 3400c2cb)

All functions here are pure and may run in any thread; on a plane's 65,536 pixels they take milliseconds.
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
"""Of the cube of voxels around a position: 0 is below it along x, y, z, 1 above."""


@dataclass(frozen=True, slots=True)
class Plane:
    """A rectangle, or any parallelogram, in space, and its pixels."""

    top_left: Vector
    step_right: Vector
    """From a pixel to the next along a row."""
    step_down: Vector
    """From a row to the next."""
    width: int
    height: int


class Patch(NamedTuple):
    """A part of a plane."""

    row: int
    column: int
    height: int
    width: int


def plane_between(top_left: Vector, top_right: Vector, bottom_left: Vector, resolution_nm: float) -> Plane:
    """The plane with these corners; the outermost pixels lie on them.

    Raises:
        RequestError: It has no extent, or no finite number of pixels.  (DVID sends an image of
            2147483647 pixels a side where *resolution_nm* is 0.)
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
    """The parts of *plane* of *side* times *side* pixels, smaller at its ends."""
    for row, column in itertools.product(range(0, plane.height, side), range(0, plane.width, side)):
        yield Patch(row, column, min(side, plane.height - row), min(side, plane.width - column))


class Sampler:
    """What the pixels of a patch need: chunks, and in each certain voxels.

    Args:
        plane: The plane.
        patch: Which part of it.
        grid: Where the chunks lie.
        resolution_nm: Edges of a voxel.
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
        """The chunks needed."""
        return self._parts.keys()

    def add(self, cell: ChunkCoord, chunk_czyx: NDArray[Any]) -> None:
        """Take what the pixels need from a decoded chunk; what is never added counts as zero."""
        if self._values is None:
            count = 8 * self._shape[0] * self._shape[1]
            self._values = np.zeros((chunk_czyx.shape[0], count), chunk_czyx.dtype)
        chosen = self._order[self._parts[cell]]
        start = self._grid.chunk_box(cell).start
        x, y, z = (self._voxels[axis][chosen] - start[axis] for axis in range(3))
        self._values[:, self._places[chosen]] = chunk_czyx[:, z, y, x]

    def pixels(self) -> NDArray[Any] | None:
        """The patch, `[value, row, column]`, interpolated and rounded; None if no chunk was added."""
        if self._values is None:
            return None
        corners = self._values.reshape(self._values.shape[0], 8, -1)
        return _interpolate(corners, self._fractions).reshape(-1, *self._shape)


def _edge(start: Vector, stop: Vector, resolution_nm: float) -> tuple[int, Vector]:
    """How many pixels an edge has, and the step between them."""
    length = math.dist(start, stop)
    if length == 0 or not math.isfinite(length / resolution_nm):
        raise RequestError(
            f"Bad arbitrary image size requested: an edge of {length:g} nm at {resolution_nm:g} nm a pixel"
        )
    steps = math.floor(length / resolution_nm)
    x, y, z = ((b - a) / max(steps, 1) for a, b in zip(start, stop, strict=True))
    return steps + 1, (x, y, z)


def _positions(plane: Plane, patch: Patch) -> NDArray[Any]:
    """Of every pixel of *patch*, in nanometers: `[row * width + column, axis]`."""
    rows = np.arange(patch.row, patch.row + patch.height)[:, None, None] * np.asarray(plane.step_down)
    columns = np.arange(patch.column, patch.column + patch.width)[None, :, None] * np.asarray(
        plane.step_right
    )
    return np.asarray((np.asarray(plane.top_left) + rows + columns).reshape(-1, 3))


def _neighbours(below: NDArray[Any], above: NDArray[Any], grid: Grid) -> tuple[NDArray[Any], NDArray[Any]]:
    """The voxels of the volume around each pixel: their places in `[corner, pixel]`, and `[axis, n]`."""
    # Compared as floats, since a plane may lie further out than any integer reaches.
    corners = np.stack(
        [[(below, above)[corner[axis]][:, axis] for axis in range(3)] for corner in _CORNERS], axis=1
    ).reshape(3, -1)
    start, stop = (np.asarray(point, dtype=float)[:, None] for point in grid.box)
    places = np.flatnonzero(((corners >= start) & (corners < stop)).all(axis=0))
    return places, corners[:, places].astype(np.int64)


def _by_cell(voxels: NDArray[Any], grid: Grid) -> tuple[NDArray[Any], dict[ChunkCoord, slice]]:
    """An order of *voxels*, `[axis, n]`, that keeps those of a chunk together, and the part of each chunk."""
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
    """Values `[value, pixel]` between those at the *corners* `[value, corner, pixel]`, rounded half up."""
    x, y, z = fractions
    mixed = np.zeros((corners.shape[0], corners.shape[2]))
    for number, (at_x, at_y, at_z) in enumerate(_CORNERS):
        weight = (x if at_x else 1 - x) * (y if at_y else 1 - y) * (z if at_z else 1 - z)
        mixed += weight * corners[:, number]
    most = np.iinfo(corners.dtype).max
    return np.minimum(np.floor(mixed + 0.5), most).astype(corners.dtype)
