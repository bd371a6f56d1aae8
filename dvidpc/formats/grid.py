"""The lattice of chunks of one scale: which chunks there are, where they lie, what they are called."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from dvidpc.types import BlockCoord, ChunkCoord, Point


class Box(NamedTuple):
    """The voxels from *start* to *stop*, absolute coordinates, *stop* exclusive."""

    start: Point
    stop: Point

    @property
    def size(self) -> Point:
        """Extent along x, y and z; not positive where the box is empty."""
        return Point(*(b - a for a, b in zip(self.start, self.stop, strict=True)))

    @property
    def is_empty(self) -> bool:
        """Whether no voxel lies in the box."""
        return any(b <= a for a, b in zip(self.start, self.stop, strict=True))

    def intersection(self, other: "Box") -> "Box":
        """The voxels that lie in both; may be empty."""
        return Box(Point(*map(max, self.start, other.start)), Point(*map(min, self.stop, other.stop)))


@dataclass(frozen=True)
class Grid:
    """A volume of *size* voxels at *offset*, cut into chunks of *chunk_size*, clipped at the upper end.

    The cells are counted from *offset*, not from the origin.  (precomputed volume.md#chunk-storage)
    """

    size: Point
    offset: Point
    chunk_size: Point

    @cached_property
    def cells(self) -> Point:
        """How many chunks lie along x, y and z."""
        return Point(*(-(-n // c) for n, c in zip(self.size, self.chunk_size, strict=True)))

    @cached_property
    def box(self) -> Box:
        """All voxels of the volume."""
        return Box(self.offset, Point(*(o + n for o, n in zip(self.offset, self.size, strict=True))))

    @cached_property
    def chunk_count(self) -> int:
        """How many chunks the volume has, stored or not."""
        return self.cells.x * self.cells.y * self.cells.z

    def chunk_box(self, cell: ChunkCoord) -> Box:
        """The voxels of one chunk, clipped at the volume's upper end."""
        start = Point(*(o + g * c for o, g, c in zip(self.offset, cell, self.chunk_size, strict=True)))
        whole = (a + c for a, c in zip(start, self.chunk_size, strict=True))
        return Box(start, Point(*map(min, whole, self.box.stop)))

    @cached_property
    def _unclipped_cells(self) -> Point:
        return Point(*(n // c for n, c in zip(self.size, self.chunk_size, strict=True)))

    def is_whole(self, cell: ChunkCoord) -> bool:
        """Whether a chunk of the grid has the full chunk size."""
        x, y, z = self._unclipped_cells
        return cell.x < x and cell.y < y and cell.z < z

    @cached_property
    def _first_block(self) -> Point | None:
        """The block that chunk (0, 0, 0) is, where both are of one size; None if chunks lie across blocks."""
        if any(o % c for o, c in zip(self.offset, self.chunk_size, strict=True)):
            return None
        return Point(*(o // c for o, c in zip(self.offset, self.chunk_size, strict=True)))

    def chunk_that_is(self, block: BlockCoord, block_size: Point) -> ChunkCoord | None:
        """The chunk that is exactly a block, of the same voxels; None if there is no such chunk."""
        first = self._first_block
        if first is None or block_size != self.chunk_size:
            return None
        cell = ChunkCoord(block.x - first.x, block.y - first.y, block.z - first.z)
        return cell if min(cell) >= 0 and self.is_whole(cell) else None

    def chunk_name(self, cell: ChunkCoord) -> str:
        """What an unsharded chunk is called below its scale's key: `x0-x1_y0-y1_z0-z1`."""
        start, stop = self.chunk_box(cell)
        return "_".join(f"{a}-{b}" for a, b in zip(start, stop, strict=True))

    def chunks_touching(self, box: Box) -> Iterator[ChunkCoord]:
        """The cells that share a voxel with *box*, x fastest; none where the box lies outside."""
        inside = box.intersection(self.box)
        if inside.is_empty:
            return
        first = [(a - o) // c for a, o, c in zip(inside.start, self.offset, self.chunk_size, strict=True)]
        last = [(b - 1 - o) // c for b, o, c in zip(inside.stop, self.offset, self.chunk_size, strict=True)]
        xs, ys, zs = (range(a, b + 1) for a, b in zip(first, last, strict=True))
        for z, y, x in itertools.product(zs, ys, xs):
            yield ChunkCoord(x, y, z)

    def count_chunks_touching(self, box: Box) -> int:
        """How many cells share a voxel with *box*."""
        inside = box.intersection(self.box)
        if inside.is_empty:
            return 0
        count = 1
        for a, b, o, c in zip(inside.start, inside.stop, self.offset, self.chunk_size, strict=True):
            count *= (b - 1 - o) // c - (a - o) // c + 1
        return count

    def reads_per_block(self, block_size: Point) -> float:
        """How many chunks a block touches on average, well inside the volume.

        Along an axis that is one, and one more for each border of chunks that is not one of blocks.
        """
        reads = 1.0
        for n, c, o, b in zip(self.size, self.chunk_size, self.offset, block_size, strict=True):
            if c < n:
                shared = math.gcd(b, c) if o % math.gcd(b, c) == 0 else 0
                reads *= 1 + (b - shared) / c
        return reads

    @cached_property
    def morton_bits(self) -> tuple[tuple[int, int], ...]:
        """Which bit of which axis each bit of the chunk id takes, lowest first.

        An axis drops out of the interleave once its cells are all told apart.
        (precomputed volume.md#compressed-morton-code)
        """
        needed = [(n - 1).bit_length() for n in self.cells]
        return tuple((axis, bit) for bit in range(max(needed)) for axis in range(3) if bit < needed[axis])

    def chunk_id(self, cell: ChunkCoord) -> int:
        """The compressed Morton code that names the chunk inside shards; *cell* must lie in the grid.

        DVID masks coordinates outside the grid into it and serves another chunk
        (ngprecomputed.go:503, 3400c2cb); so they are refused here.
        """
        x, y, z = cell
        along_x, along_y, along_z = self.cells
        if not (0 <= x < along_x and 0 <= y < along_y and 0 <= z < along_z):
            raise ValueError(f"chunk {tuple(cell)} lies outside a grid of {tuple(self.cells)} chunks")
        xs, ys, zs = self._spread
        return xs[x] | ys[y] | zs[z]

    @cached_property
    def _spread(self) -> "tuple[_Spread, ...]":
        return tuple(
            _Spread([(position, bit) for position, (of, bit) in enumerate(self.morton_bits) if of == axis])
            for axis in range(3)
        )


class _Spread(dict[int, int]):
    """The bits of the chunk id that a coordinate along one axis makes, worked out once for each."""

    def __init__(self, bits: Sequence[tuple[int, int]]) -> None:
        """Take *bits*: where in the chunk id which bit of the coordinate goes."""
        super().__init__()
        self._bits = bits

    def __missing__(self, coordinate: int) -> int:
        code = self[coordinate] = sum((coordinate >> bit & 1) << position for position, bit in self._bits)
        return code


def blocks_filling(box: Box, block_size: Point) -> list[BlockCoord]:
    """The blocks that make up *box*, x fastest; none where the box is empty.

    Raises:
        ValueError: *box* does not start and end on the borders of blocks.
    """
    if any(a % s or b % s for a, b, s in zip(box.start, box.stop, block_size, strict=True)):
        raise ValueError(f"{box} is not made of whole blocks of {block_size}")
    xs, ys, zs = (range(a // s, b // s) for a, b, s in zip(box.start, box.stop, block_size, strict=True))
    return [BlockCoord(x, y, z) for z, y, x in itertools.product(zs, ys, xs)]


def block_box(block: BlockCoord, block_size: Point) -> Box:
    """The voxels of a block; blocks are counted from the origin of absolute coordinates."""
    start = Point(*(b * s for b, s in zip(block, block_size, strict=True)))
    return Box(start, Point(*(a + s for a, s in zip(start, block_size, strict=True))))
