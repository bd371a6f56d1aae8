"""The lattice of chunks of one scale: which chunks exist and which voxels they hold."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from dvidpc.types import BlockCoord, ChunkCoord, Point


class Box(NamedTuple):
    """The voxels from *start* to *stop* in absolute coordinates; *stop* is exclusive."""

    start: Point
    stop: Point

    @property
    def size(self) -> Point:
        """Extent along x, y and z; zero or negative along some axis if the box is empty."""
        (x, y, z), (to_x, to_y, to_z) = self
        return Point(to_x - x, to_y - y, to_z - z)

    @property
    def is_empty(self) -> bool:
        """Whether the box holds no voxel."""
        return any(b <= a for a, b in zip(self.start, self.stop, strict=True))

    def intersection(self, other: "Box") -> "Box":
        """Return the voxels that lie in both boxes; may be empty."""
        return Box(Point(*map(max, self.start, other.start)), Point(*map(min, self.stop, other.stop)))


class CellRange(NamedTuple):
    """The cells from *start* to *stop* of a grid; *stop* is exclusive."""

    start: ChunkCoord
    stop: ChunkCoord

    @property
    def size(self) -> Point:
        """Number of cells along x, y and z; not negative."""
        (x, y, z), (to_x, to_y, to_z) = self
        return Point(max(0, to_x - x), max(0, to_y - y), max(0, to_z - z))

    @property
    def total(self) -> int:
        """Number of cells."""
        x, y, z = self.size
        return x * y * z


@dataclass(frozen=True)
class Grid:
    """A volume of *size* voxels at *offset*, cut into chunks of *chunk_size*, clipped at the upper end.

    Cells are counted from *offset*, not from the origin.  (precomputed volume.md#chunk-storage)
    """

    size: Point
    offset: Point
    chunk_size: Point

    @cached_property
    def cells(self) -> Point:
        """Number of chunks along x, y and z."""
        return Point(*(-(-n // c) for n, c in zip(self.size, self.chunk_size, strict=True)))

    @cached_property
    def box(self) -> Box:
        """All voxels of the volume."""
        return Box(self.offset, Point(*(o + n for o, n in zip(self.offset, self.size, strict=True))))

    @cached_property
    def chunk_count(self) -> int:
        """Number of chunks in the volume, stored or not."""
        return self.cells.x * self.cells.y * self.cells.z

    def chunk_box(self, cell: ChunkCoord) -> Box:
        """Return the voxels of one chunk, clipped at the volume's upper end."""
        start = Point(*(o + g * c for o, g, c in zip(self.offset, cell, self.chunk_size, strict=True)))
        whole = (a + c for a, c in zip(start, self.chunk_size, strict=True))
        return Box(start, Point(*map(min, whole, self.box.stop)))

    @cached_property
    def _unclipped_cells(self) -> Point:
        return Point(*(n // c for n, c in zip(self.size, self.chunk_size, strict=True)))

    def is_whole(self, cell: ChunkCoord) -> bool:
        """Return whether a chunk of the grid has the full chunk size, that is, is not clipped."""
        x, y, z = self._unclipped_cells
        return cell.x < x and cell.y < y and cell.z < z

    @cached_property
    def _first_block(self) -> Point | None:
        """The block at chunk (0, 0, 0) if blocks have the chunk size; None if chunks straddle blocks."""
        if any(o % c for o, c in zip(self.offset, self.chunk_size, strict=True)):
            return None
        return Point(*(o // c for o, c in zip(self.offset, self.chunk_size, strict=True)))

    def chunk_that_is(self, block: BlockCoord, block_size: Point) -> ChunkCoord | None:
        """Return the chunk that holds exactly the voxels of a block; None if there is none."""
        first = self._first_block
        if first is None or block_size != self.chunk_size:
            return None
        cell = ChunkCoord(block.x - first.x, block.y - first.y, block.z - first.z)
        return cell if min(cell) >= 0 and self.is_whole(cell) else None

    def chunks_touching(self, box: Box) -> Iterator[ChunkCoord]:
        """Yield the cells that share a voxel with *box*, x fastest; none if it lies outside the volume."""
        start, stop = self.cells_touching(box)
        xs, ys, zs = map(range, start, stop)
        for z, y, x in itertools.product(zs, ys, xs):
            yield ChunkCoord(x, y, z)

    def count_chunks_touching(self, box: Box) -> int:
        """Return how many cells share a voxel with *box*."""
        return self.cells_touching(box).total

    def cells_touching(self, box: Box) -> CellRange:
        """Return the cells that share a voxel with *box*; none if it lies outside the volume."""
        inside = box.intersection(self.box)
        if inside.is_empty:
            return CellRange(ChunkCoord(0, 0, 0), ChunkCoord(0, 0, 0))
        (x, y, z), (to_x, to_y, to_z) = inside
        ox, oy, oz = self.offset
        cx, cy, cz = self.chunk_size
        return CellRange(
            ChunkCoord((x - ox) // cx, (y - oy) // cy, (z - oz) // cz),
            ChunkCoord((to_x - 1 - ox) // cx + 1, (to_y - 1 - oy) // cy + 1, (to_z - 1 - oz) // cz + 1),
        )

    def reads_per_block(self, block_size: Point) -> float:
        """Return how many chunks a block touches on average, away from the volume's faces.

        Along each axis a block touches one chunk, plus one for each chunk border inside it. Borders that
        chunks and blocks share do not count.
        """
        reads = 1.0
        for n, c, o, b in zip(self.size, self.chunk_size, self.offset, block_size, strict=True):
            if c < n:
                shared = math.gcd(b, c) if o % math.gcd(b, c) == 0 else 0
                reads *= 1 + (b - shared) / c
        return reads


def blocks_filling(box: Box, block_size: Point) -> list[BlockCoord]:
    """Return the blocks that make up *box*, x fastest; an empty list if the box is empty.

    Raises:
        ValueError: *box* does not start and end on block borders.
    """
    if any(a % s or b % s for a, b, s in zip(box.start, box.stop, block_size, strict=True)):
        raise ValueError(f"{box} does not consist of whole blocks of {block_size}")
    xs, ys, zs = (range(a // s, b // s) for a, b, s in zip(box.start, box.stop, block_size, strict=True))
    return [BlockCoord(x, y, z) for z, y, x in itertools.product(zs, ys, xs)]


def block_box(block: BlockCoord, block_size: Point) -> Box:
    """Return the voxels of a block; blocks are counted from the origin of absolute coordinates."""
    start = Point(*(b * s for b, s in zip(block, block_size, strict=True)))
    return Box(start, Point(*(a + s for a, s in zip(start, block_size, strict=True))))
