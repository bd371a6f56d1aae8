"""How a block is made of chunks: which parts of which chunks go where in it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from dvidpc.formats.codec import Voxels
from dvidpc.formats.grid import Box, Grid
from dvidpc.types import ChunkCoord, Point

Slices = tuple[slice, slice, slice]

OPAQUE = 255
"""The alpha of colours that are stored without one."""


class Piece(NamedTuple):
    """The part of a chunk that lies in a box."""

    cell: ChunkCoord
    box: Box
    """Which voxels."""
    source_zyx: Slices
    """Where in the chunk."""
    target_zyx: Slices
    """Where in the box it was asked for."""
    is_whole_chunk: bool
    """Whether the whole chunk lies in the box, so that no other block needs it."""


class Part(NamedTuple):
    """Voxels that are known."""

    box: Box
    voxels: Voxels
    """`[c, z, y, x]`, of the size of the box."""


class BlockLayout(NamedTuple):
    """What a block holds for each voxel."""

    dtype: np.dtype[Any]
    num_values: int
    """1, or 4: red, green, blue and alpha."""
    channel: int | None = None
    """Which channel of the chunks it shows; None: all of them."""


def pieces_of(grid: Grid, box: Box) -> list[Piece]:
    """The pieces that fill *box*, x fastest; what no piece fills lies outside the volume."""
    return [piece_of(grid, cell, box) for cell in grid.chunks_touching(box)]


def piece_of(grid: Grid, cell: ChunkCoord, box: Box) -> Piece:
    """The part of one chunk that lies in *box*; the two must share a voxel."""
    chunk = grid.chunk_box(cell)
    shared = chunk.intersection(box)
    source, target = _slices(shared, chunk.start), _slices(shared, box.start)
    return Piece(cell, shared, source, target, is_whole_chunk=shared == chunk)


def _slices(box: Box, origin: Point) -> Slices:
    x, y, z = (slice(a - o, b - o) for a, b, o in zip(box.start, box.stop, origin, strict=True))
    return z, y, x


def assemble(box: Box, parts: Sequence[Part], layout: BlockLayout) -> Voxels:
    """The voxels of *box*, `[z, y, x, value]`; zero where no part reaches.

    Colours without an alpha become opaque, where nothing is known too.
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
