"""Positions of a collection: from stored units to voxels, and the cells of a grid that may hold them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.grid import Box

Cell: TypeAlias = tuple[int, ...]
"""The position of a cell in its grid, along the stored axes."""

_ULP: Final = 2.0**-23
"""Distance of neighbouring float32, relative to their size."""
_OUTWARDS: Final = np.array([[-1], [1]])
_GOLDEN: Final = (5**0.5 - 1) / 2
"""Its multiples, without their whole part, are spread evenly between 0 and 1."""
_MOST: Final = 2**31
"""The end of the coordinates that DVID has: int32."""


class Span(NamedTuple):
    """A closed box in stored units, along the stored axes."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


class Placed(NamedTuple):
    """Positions in voxels."""

    voxels: NDArray[np.int32]
    """`[..., xyz]`; 0 where a position has no voxel."""
    is_placed: NDArray[np.bool_]
    """`[...]`: whether the position is finite and has a voxel with int32 coordinates."""


@dataclass(frozen=True, slots=True)
class Placement:
    """How stored positions become voxels: axes are permuted and scaled. Nothing is added."""

    axes: tuple[int, int, int]
    """Which stored axis is x, y and z."""
    voxels_per_unit: tuple[float, float, float]
    """Along x, y and z."""

    def place(self, positions: NDArray[Any]) -> Placed:
        """Return the voxels that hold *positions* `[..., stored axis]`.

        Positions are float32: one that lies within a unit in the last place of an integer is that integer.
        Any other belongs to the voxel below it.
        """
        factors = np.array(self.voxels_per_unit)
        with np.errstate(all="ignore"):
            stored = positions[..., list(self.axes)].astype(np.float64)
            exact = stored * factors
            nearest = np.rint(exact)
            is_near = np.abs(exact - nearest) <= _ULP * np.abs(stored) * factors
            voxels = np.where(is_near, nearest, np.floor(exact))
            is_placed = ((voxels >= -_MOST) & (voxels < _MOST)).all(axis=-1)
        voxels[~is_placed] = 0
        return Placed(voxels.astype(np.int32), is_placed)

    def span(self, box: Box) -> Span:
        """Return where positions with a voxel in *box* can lie, widened by two float32 steps.

        What lies on the border of two cells is so found in both.
        """
        factors = np.array(self.voxels_per_unit)
        ends = np.array([box.start, box.stop], np.float64) / factors
        ends += np.array([[-2], [2]]) * _ULP * np.abs(ends).max(axis=0)
        stored = np.empty_like(ends)
        stored[:, list(self.axes)] = ends
        return Span(stored[0], stored[1])


@dataclass(frozen=True, slots=True)
class Lattice:
    """A grid of cells; the outermost ones also hold whatever lies beyond the grid."""

    origin: tuple[float, ...]
    """Where the first cell begins."""
    chunk_size: tuple[float, ...]
    """Extent of a cell."""
    shape: tuple[int, ...]
    """Number of cells along each axis."""

    def cells_touching(self, span: Span) -> "Cells":
        """Return the cells that touch *span*; at least one."""
        origin, size = np.array(self.origin), np.array(self.chunk_size)
        ends = np.array([span.low, span.high])
        slack = 2 * _ULP * (np.abs(ends) + np.abs(origin))  # writers find the cell with float32
        cells = np.floor((ends - origin + slack * _OUTWARDS) / size)
        low, high = np.minimum(np.maximum(cells, 0), np.array(self.shape) - 1).tolist()
        return Cells(tuple(range(int(a), int(b) + 1) for a, b in zip(low, high, strict=True)))

    @property
    def all_cells(self) -> "Cells":
        """Every cell."""
        return Cells(tuple(map(range, self.shape)))

    def misses(self, cell: Cell, span: Span) -> NDArray[np.bool_]:
        """Return which of the boxes *span*, `[n, axis]` at either end, do not touch *cell*."""
        start = np.array(self.origin, np.float64) + np.array(cell) * np.array(self.chunk_size)
        stop = start + np.array(self.chunk_size)
        start[np.array(cell) == 0] = -np.inf
        stop[np.array(cell) == np.array(self.shape) - 1] = np.inf
        with np.errstate(all="ignore"):
            slack = 2 * _ULP * np.maximum(np.abs(span.low), np.abs(span.high))
            is_apart = (span.high + slack < start) | (span.low - slack > stop)
        return np.asarray(is_apart.any(axis=1), np.bool_)


@dataclass(frozen=True, slots=True)
class Cells:
    """A box of cells."""

    ranges: tuple[range, ...]
    """Which, along each axis."""

    @property
    def count(self) -> int:
        """How many there are."""
        return prod(map(len, self.ranges))

    def __iter__(self) -> Iterator[Cell]:
        """Yield them, the last axis fastest."""
        return _product(self.ranges)

    def sample(self, count: int) -> Iterator[Cell]:
        """Yield at most *count* different cells, spread over all; the same ones every time."""
        if self.count <= count:
            yield from self
            return
        for number in sorted({int(n * _GOLDEN % 1 * self.count) for n in range(count)}):
            rest, cell = number, []
            for axis in reversed(self.ranges):
                rest, at = divmod(rest, len(axis))
                cell.append(axis[at])
            yield tuple(reversed(cell))


def _product(ranges: Sequence[range]) -> Iterator[Cell]:
    """Yield all tuples of a number of each range; unlike `itertools.product`, keep none of them."""
    if not ranges:
        yield ()
        return
    for first in ranges[0]:
        for rest in _product(ranges[1:]):
            yield first, *rest
