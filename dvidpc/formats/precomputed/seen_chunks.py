"""Tracks which chunks of a precomputed scale have been seen, by name or by id; each chunk counts once."""

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.chunk_marks import ChunkMarks
from dvidpc.formats.grid import Grid
from dvidpc.formats.precomputed.chunk_ids import ChunkIds
from dvidpc.formats.precomputed.chunk_names import find_named_chunk
from dvidpc.types import ChunkCoord


class Roll:
    """The chunks of *grid* that have been seen; none at first."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self._ids = ChunkIds(grid)
        self._marks = ChunkMarks(grid)

    @property
    def seen(self) -> int:
        """As `ChunkMarks.seen`."""
        return self._marks.seen

    def mark_name(self, name: str) -> bool:
        """Mark an unsharded chunk as seen; return whether it belongs to the grid."""
        cell = find_named_chunk(self.grid, name)
        if cell is None:
            return False
        self._marks.mark(cell)
        return True

    def mark_ids(self, chunk_ids: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Mark sharded chunks as seen; return which of them belong to the grid."""
        cells, is_inside = self._ids.cells_of(chunk_ids)
        self._marks.mark_all(cells[:, is_inside])
        return is_inside

    def first_unseen(self) -> ChunkCoord | None:
        """As `ChunkMarks.first_unseen`."""
        return self._marks.first_unseen()
