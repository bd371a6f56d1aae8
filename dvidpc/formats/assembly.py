"""How a block is made of chunks: which parts of which chunks go where in it."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from dvidpc.formats.codec import ChunkShape, Voxels
from dvidpc.formats.grid import Box, Grid
from dvidpc.types import ChunkCoord, Point

Slices = tuple[slice, slice, slice]


class Piece(NamedTuple):
    """The part of a chunk that lies in a box."""

    cell: ChunkCoord
    source_zyx: Slices
    """Where in the chunk."""
    target_zyx: Slices
    """Where in the box."""
    is_whole: bool
    """Whether the piece is the whole chunk and nothing but the box."""


def pieces_of(grid: Grid, box: Box) -> list[Piece]:
    """The pieces that fill *box*, x fastest; what no piece fills lies outside the volume."""
    return [piece_of(grid, cell, box) for cell in grid.chunks_touching(box)]


def piece_of(grid: Grid, cell: ChunkCoord, box: Box) -> Piece:
    """The part of one chunk that lies in *box*; the two must share a voxel."""
    chunk = grid.chunk_box(cell)
    shared = chunk.intersection(box)
    return Piece(cell, _slices(shared, chunk.start), _slices(shared, box.start), is_whole=chunk == box)


def _slices(box: Box, origin: Point) -> Slices:
    x, y, z = (slice(a - o, b - o) for a, b, o in zip(box.start, box.stop, origin, strict=True))
    return z, y, x


def assemble(
    box: Box, pieces: Iterable[Piece], chunks: Mapping[ChunkCoord, Voxels], shape: ChunkShape
) -> Voxels:
    """The voxels of *box*, `[c, z, y, x]`; zero where no chunk of *chunks* reaches.

    Args:
        box: Which voxels.
        pieces: What `pieces_of` said of the box.
        chunks: The decoded chunks that are stored.
        shape: Any chunk's shape, for its number of channels and data type.
    """
    x, y, z = box.size
    target = np.zeros((shape.num_channels, z, y, x), dtype=shape.dtype)
    for piece in pieces:
        chunk = chunks.get(piece.cell)
        if chunk is not None:
            target[:, *piece.target_zyx] = chunk[:, *piece.source_zyx]
    return target
