"""Object names of unsharded chunks: `x0-x1_y0-y1_z0-z1` (precomputed volume.md#unsharded-chunk-storage)."""

import re

from dvidpc.formats.grid import Grid
from dvidpc.types import ChunkCoord

_NAME = re.compile(r"(-?\d+)-(-?\d+)_(-?\d+)-(-?\d+)_(-?\d+)-(-?\d+)", re.ASCII)


def chunk_name(grid: Grid, cell: ChunkCoord) -> str:
    """Return the name of an unsharded chunk below its scale's key; coordinates are absolute."""
    start, stop = grid.chunk_box(cell)
    return "_".join(f"{a}-{b}" for a, b in zip(start, stop, strict=True))


def is_chunk_name(name: str) -> bool:
    """Return whether *name* has the form of a chunk name, for any grid."""
    return _NAME.fullmatch(name) is not None


def find_named_chunk(grid: Grid, name: str) -> ChunkCoord | None:
    """Return the chunk of *grid* called *name*; None if the grid has no such chunk."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    start = [int(match[axis]) for axis in (1, 3, 5)]
    cell = ChunkCoord(*((a - o) // c for a, o, c in zip(start, grid.offset, grid.chunk_size, strict=True)))
    is_inside = all(0 <= g < n for g, n in zip(cell, grid.cells, strict=True))
    return cell if is_inside and chunk_name(grid, cell) == name else None
