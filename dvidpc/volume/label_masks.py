"""Finds the voxels of one label, block by block: many blocks at a time, delivered in order."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.assembly import Piece, pieces_of
from dvidpc.formats.grid import Box, block_box
from dvidpc.tasks import gather_or_cancel, in_order
from dvidpc.types import BlockCoord, Point
from dvidpc.volume.chunk_cache import CachedChunks
from dvidpc.volume.label_view import LabelView
from dvidpc.volume.point_lookup import find_view

LOOK_AHEAD: Final = 64
"""Blocks of one request that may be in flight or wait to be delivered; each takes 256 KiB."""


class BlockMask(NamedTuple):
    """Where a label lies in a block."""

    block: BlockCoord
    mask: NDArray[np.bool_]
    """Which voxels `[z, y, x]` have it; those outside the volume have not."""
    voxels: int
    """How many have it."""


async def masks_of(
    copies: Sequence[CachedChunks], block_size: Point, label: int, blocks: Iterable[BlockCoord]
) -> AsyncGenerator[BlockMask, None]:
    """Yield the mask of each of *blocks*, in their order, also of those without the label.

    Args:
        copies: The copies of the scale; a chunk that one does not store is read from the next.
        block_size: Voxels of a block.
        label: The label.
        blocks: Which blocks.

    Raises:
        FormatError: A chunk is damaged.
        StoreError: The bucket failed.
    """
    work = (_make_mask(copies, block_size, label, block) for block in blocks)
    async with aclosing(in_order(work, LOOK_AHEAD)) as masks:
        async for mask in masks:
            yield mask


async def _make_mask(
    copies: Sequence[CachedChunks], block_size: Point, label: int, block: BlockCoord
) -> BlockMask:
    box = block_box(block, block_size)
    found = await _collect(box, copies)
    return await copies[0].in_pool(partial(_assemble, block, box, found, label))


async def _collect(box: Box, copies: Sequence[CachedChunks]) -> list[tuple[Piece, LabelView]]:
    """Return what the first of *copies* stores of *box*, and for its holes what the others store."""
    pieces = pieces_of(copies[0].source.grid, box)
    views = await gather_or_cancel(find_view(piece.cell, copies[0]) for piece in pieces)
    found: list[tuple[Piece, LabelView]] = []
    for piece, view in zip(pieces, views, strict=True):
        if view is not None:
            found.append((piece, view))
        elif len(copies) > 1:
            found += await _collect(piece.box, copies[1:])
    return found


def _assemble(block: BlockCoord, box: Box, found: Sequence[tuple[Piece, LabelView]], label: int) -> BlockMask:
    mask = np.zeros(box.size[::-1], np.bool_)
    for piece, view in found:
        size = piece.box.size
        (x, y, z), (to_x, to_y, to_z) = (
            tuple(at - o for at, o in zip(corner, box.start, strict=True)) for corner in piece.box
        )
        mask[z:to_z, y:to_y, x:to_x] = view.mask(piece.corner, size, label)
    return BlockMask(block, mask, int(np.count_nonzero(mask)))
