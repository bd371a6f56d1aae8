"""Tracks which chunks of a grid have been seen, by name or by id; each chunk counts once."""

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.grid import Grid
from dvidpc.formats.precomputed.chunk_ids import ChunkIds
from dvidpc.formats.precomputed.chunk_names import find_named_chunk
from dvidpc.types import ChunkCoord

MAX_MARKED = 2**28
"""Number of chunks up to which a grid's chunks are marked (32 MiB); in larger grids they are only counted."""


class Roll:
    """The chunks of *grid* that have been seen; none at first."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.seen = 0
        """Number of distinct chunks seen; in a grid of more than `MAX_MARKED` chunks, repeats count too."""
        self._ids = ChunkIds(grid)
        marked = grid.chunk_count if grid.chunk_count <= MAX_MARKED else 0
        self._marks = np.zeros(-(-marked // 8), np.uint8)

    def mark_name(self, name: str) -> bool:
        """Mark an unsharded chunk as seen; return whether it belongs to the grid."""
        cell = find_named_chunk(self.grid, name)
        if cell is None:
            return False
        self._mark_one(cell.x + self.grid.cells.x * (cell.y + self.grid.cells.y * cell.z))
        return True

    def mark_ids(self, chunk_ids: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Mark sharded chunks as seen; return which of them belong to the grid."""
        cells, is_inside = self._ids.cells_of(chunk_ids)
        x, y, z = cells[:, is_inside]
        wide, high = np.uint64(self.grid.cells.x), np.uint64(self.grid.cells.y)
        self._mark(np.unique(x + wide * (y + high * z)))
        return is_inside

    def first_unseen(self) -> ChunkCoord | None:
        """Return the first chunk not seen, x fastest; None if all were seen or chunks are not marked."""
        byte = int((self._marks != 0xFF).argmax()) if len(self._marks) else 0
        if not len(self._marks) or self._marks[byte] == 0xFF:
            return None
        bit = next(bit for bit in range(8) if not self._marks[byte] >> bit & 1)
        if (number := byte * 8 + bit) >= self.grid.chunk_count:
            return None
        rest, x = divmod(number, self.grid.cells.x)
        z, y = divmod(rest, self.grid.cells.y)
        return ChunkCoord(x, y, z)

    def _mark_one(self, number: int) -> None:
        """Do what `_mark` does for a single chunk, six times as fast."""
        if len(self._marks):
            byte, bit = number >> 3, 1 << (number & 7)
            marks = int(self._marks[byte])
            if marks & bit:
                return
            self._marks[byte] = marks | bit
        self.seen += 1

    def _mark(self, numbers: NDArray[np.uint64]) -> None:
        if not len(self._marks):
            self.seen += len(numbers)
            return
        places = numbers >> np.uint64(3)
        bits = np.left_shift(1, (numbers & np.uint64(7)).astype(np.uint8)).astype(np.uint8)
        self.seen += int(np.count_nonzero(self._marks[places] & bits == 0))
        np.bitwise_or.at(self._marks, places, bits)
