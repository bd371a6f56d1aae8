"""Assembles blocks and boxes from chunks: which parts of which chunks go where."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from dvidpc.formats.data_types import Voxels
from dvidpc.formats.grid import Box, Grid
from dvidpc.types import ChunkCoord, Point

Slices = tuple[slice, slice, slice]

OPAQUE = 255
"""The alpha of colors that are stored without one."""


class Piece(NamedTuple):
    """The part of a chunk that lies in a box."""

    cell: ChunkCoord
    box: Box
    """The voxels of the piece."""
    source_zyx: Slices
    """Position in the chunk."""
    target_zyx: Slices
    """Position in the box."""
    is_whole_chunk: bool
    """Whether the whole chunk lies in the box, so that no other block needs it."""

    @property
    def corner(self) -> Point:
        """Where in the chunk it starts."""
        z, y, x = self.source_zyx
        return Point(x.start, y.start, z.start)


class Part(NamedTuple):
    """The known voxels of a part of a box."""

    box: Box
    voxels: Voxels
    """`[c, z, y, x]`; as large as the box."""


class BlockLayout(NamedTuple):
    """The values that a block holds for each voxel."""

    dtype: np.dtype[Any]
    num_values: int
    """1, or 4 for red, green, blue and alpha."""
    channel: int | None = None
    """The only channel that the block shows; None if it shows all."""


def pieces_of(grid: Grid, box: Box) -> list[Piece]:
    """Return the pieces that fill *box*, x fastest; voxels that no piece covers lie outside the volume."""
    return [piece_of(grid, cell, box) for cell in grid.chunks_touching(box)]


def piece_of(grid: Grid, cell: ChunkCoord, box: Box) -> Piece:
    """Return the part of one chunk that lies in *box*; the two must share a voxel."""
    chunk = grid.chunk_box(cell)
    shared = chunk.intersection(box)
    source, target = _slices(shared, chunk.start), _slices(shared, box.start)
    return Piece(cell, shared, source, target, is_whole_chunk=shared == chunk)


def _slices(box: Box, origin: Point) -> Slices:
    x, y, z = (slice(a - o, b - o) for a, b, o in zip(box.start, box.stop, origin, strict=True))
    return z, y, x


def assemble(box: Box, parts: Sequence[Part], layout: BlockLayout) -> Voxels:
    """Return the voxels of *box*, `[z, y, x, value]`; voxels that no part covers are zero.

    If the parts store colors without alpha, every voxel is opaque, including those that no part covers.
    """
    x, y, z = box.size
    target = np.zeros((z, y, x, layout.num_values), layout.dtype)
    for part in parts:
        place = target[_slices(part.box, box.start)]
        if layout.channel is not None:
            place[..., 0] = part.voxels[layout.channel]
            continue
        for channel, values in enumerate(part.voxels):
            place[..., channel] = values
    if layout.channel is None and any(len(part.voxels) < layout.num_values for part in parts):
        target[..., -1] = OPAQUE
    return target
