"""Which chunks of a grid have been seen: told by name or by id, each counted once."""

import re

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.grid import Grid
from dvidpc.types import ChunkCoord

_NAME = re.compile(r"(-?\d+)-(-?\d+)_(-?\d+)-(-?\d+)_(-?\d+)-(-?\d+)", re.ASCII)
MAX_MARKED = 2**28
"""Chunks up to which each is marked, which takes 32 MiB; of more they are only counted."""


def is_chunk_name(name: str) -> bool:
    """Whether *name* is what an unsharded chunk is called, of whatever grid."""
    return _NAME.fullmatch(name) is not None


class Roll:
    """The chunks of *grid*, of which none has been seen yet."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.seen = 0
        """How many different chunks; of a grid of more than `MAX_MARKED`, how many in all."""
        marked = grid.chunk_count if grid.chunk_count <= MAX_MARKED else 0
        self._marks = np.zeros(-(-marked // 8), np.uint8)

    def mark_name(self, name: str) -> bool:
        """Mark an unsharded chunk; whether it is one of the grid."""
        match = _NAME.fullmatch(name)
        if match is None:
            return False
        start = [int(match[axis]) for axis in (1, 3, 5)]
        cell = ChunkCoord(
            *((a - o) // c for a, o, c in zip(start, self.grid.offset, self.grid.chunk_size, strict=True))
        )
        inside = all(0 <= g < n for g, n in zip(cell, self.grid.cells, strict=True))
        if not inside or self.grid.chunk_name(cell) != name:
            return False
        self._mark_one(cell.x + self.grid.cells.x * (cell.y + self.grid.cells.y * cell.z))
        return True

    def mark_ids(self, chunk_ids: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Mark chunks of shards; which of them are of the grid."""
        cells = np.zeros((3, len(chunk_ids)), np.uint64)
        for position, (axis, bit) in enumerate(self.grid.morton_bits):
            cells[axis] |= (chunk_ids >> np.uint64(position) & np.uint64(1)) << np.uint64(bit)
        inside = (cells < np.array(self.grid.cells, np.uint64)[:, None]).all(axis=0)
        inside &= chunk_ids >> np.uint64(len(self.grid.morton_bits)) == 0
        x, y, z = cells[:, inside]
        wide, high = np.uint64(self.grid.cells.x), np.uint64(self.grid.cells.y)
        self._mark(np.unique(x + wide * (y + high * z)))
        known: NDArray[np.bool_] = inside
        return known

    def first_unseen(self) -> ChunkCoord | None:
        """The first chunk, x fastest, that was not seen; None if all were, or nobody kept that."""
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
        """As `_mark`, which takes six times as long for a single one."""
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
