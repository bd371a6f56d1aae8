"""Chunk ids of sharded scales: compressed Morton codes (precomputed volume.md#compressed-morton-code)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.grid import Grid
from dvidpc.types import ChunkCoord


def morton_bits(cells: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return the axis and the coordinate bit that each bit of a chunk id holds, lowest bit first.

    *cells* is the number of cells along each axis, of which there may be any number.

    An axis takes part only as long as it has bits left to distinguish its cells.
    """
    needed = [(n - 1).bit_length() for n in cells]
    return tuple(
        (axis, bit) for bit in range(max(needed)) for axis in range(len(needed)) if bit < needed[axis]
    )


class MortonCodes:
    """Compressed Morton codes of a grid with any number of axes; may be used from any thread.

    Each coordinate's share of the code is computed only once.
    """

    def __init__(self, cells: Sequence[int]) -> None:
        bits = morton_bits(cells)
        self._shares = tuple(
            _Shares([(position, bit) for position, (of, bit) in enumerate(bits) if of == axis])
            for axis in range(len(cells))
        )

    def code(self, cell: Sequence[int]) -> int:
        """Return the code of a cell, which must lie in the grid."""
        code = 0
        for shares, at in zip(self._shares, cell, strict=True):
            code |= shares[at]
        return code


class ChunkIds:
    """Converts cells of one grid to chunk ids and back; may be used from any thread.

    Reads call `chunk_id` for every chunk, so each coordinate's share of the id is computed only once.
    """

    def __init__(self, grid: Grid) -> None:
        self._cells = grid.cells
        self._bits = morton_bits(grid.cells)
        self._shares = tuple(
            _Shares([(position, bit) for position, (of, bit) in enumerate(self._bits) if of == axis])
            for axis in range(3)
        )

    @property
    def num_bits(self) -> int:
        """Number of bits in the largest chunk id."""
        return len(self._bits)

    def chunk_id(self, cell: ChunkCoord) -> int:
        """Return the id of a chunk in its shard; *cell* must lie in the grid.

        DVID wraps coordinates outside the grid and serves another chunk (ngprecomputed.go:503, 3400c2cb);
        we refuse them.

        Raises:
            ValueError: *cell* lies outside the grid.
        """
        x, y, z = cell
        along_x, along_y, along_z = self._cells
        if not (0 <= x < along_x and 0 <= y < along_y and 0 <= z < along_z):
            raise ValueError(f"chunk {tuple(cell)} lies outside a grid of {tuple(self._cells)} chunks")
        xs, ys, zs = self._shares
        return xs[x] | ys[y] | zs[z]

    def cells_of(self, chunk_ids: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
        """Return the cells `[axis, n]` that *chunk_ids* encode, and which of the ids belong to the grid."""
        cells = np.zeros((3, len(chunk_ids)), np.uint64)
        for position, (axis, bit) in enumerate(self._bits):
            cells[axis] |= (chunk_ids >> np.uint64(position) & np.uint64(1)) << np.uint64(bit)
        is_inside = (cells < np.array(self._cells, np.uint64)[:, None]).all(axis=0)
        return cells, np.logical_and(is_inside, chunk_ids >> np.uint64(self.num_bits) == 0)


class _Shares(dict[int, int]):
    """The bits that each coordinate along one axis adds to a chunk id, computed on first use."""

    def __init__(self, bits: Sequence[tuple[int, int]]) -> None:
        """Take pairs of a bit position in the chunk id and the coordinate's bit that goes there."""
        super().__init__()
        self._bits = bits

    def __missing__(self, coordinate: int) -> int:
        code = self[coordinate] = sum((coordinate >> bit & 1) << position for position, bit in self._bits)
        return code
