"""Make the payload of a block from stored chunks: decode, assemble, encode. Takes milliseconds."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from dvidpc.formats.assembly import BlockLayout, Part, Piece, assemble
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.grid import Box
from dvidpc.formats.payloads import Payload
from dvidpc.sources.base import ChunkSource
from dvidpc.volume.label_view import LabelView


class Found(NamedTuple):
    """A part of a chunk that lies in a box."""

    piece: Piece
    """Which part."""
    chunk: Voxels | LabelView
    """The whole chunk."""


def make_from_chunk(
    source: ChunkSource, box: Box, piece: Piece, data: bytes, layout: BlockLayout, payload: Payload
) -> bytes:
    """Return the payload of a block whose voxels all lie in one chunk; without its voxels if possible.

    Args:
        source: What the chunk was read from.
        box: The block.
        piece: The chunk, which lies in the block as a whole.
        data: The chunk as stored.
        layout: What a block holds for each voxel.
        payload: How the block is written.

    Raises:
        FormatError: The chunk is damaged.
    """
    if payload.transcode is not None and piece.box == box:
        chunk = source.label_chunk(piece.cell, data)
        if chunk is not None:
            return payload.transcode(chunk)
    return _make_from_parts(box, [Part(piece.box, source.decode(piece.cell, data))], layout, payload)


def make_from_pieces(box: Box, found: Sequence[Found], layout: BlockLayout, payload: Payload) -> bytes:
    """Return the payload of a block that consists of *found*, of labels without their voxels if possible."""
    piece, chunk = found[0]
    if payload.transcode is not None and isinstance(chunk, LabelView) and piece.box == box:
        part = chunk.crop(piece.corner, box.size)
        if part is not None:
            return payload.transcode(part)
    return _make_from_parts(box, _parts_of(found), layout, payload)


def assemble_pieces(box: Box, found: Sequence[Found], layout: BlockLayout) -> Voxels:
    """Return the voxels of *box*, `[z, y, x, value]`; zero where nothing was found."""
    return assemble(box, _parts_of(found), layout)


def voxels_of(found: Found) -> Voxels:
    """Return the voxels `[c, z, y, x]` of a piece; takes milliseconds if its chunk must be decoded."""
    piece, chunk = found
    if isinstance(chunk, LabelView):
        return chunk.cut(piece.corner, piece.box.size)[None]
    return chunk[:, *piece.source_zyx]


def _parts_of(found: Iterable[Found]) -> list[Part]:
    return [Part(each.piece.box, voxels_of(each)) for each in found]


def _make_from_parts(box: Box, parts: Sequence[Part], layout: BlockLayout, payload: Payload) -> bytes:
    """Return the payload of a block that consists of *parts*; voxels that no part has are zero."""
    whole = _whole(box, parts, layout)
    return payload.encode(assemble(box, parts, layout) if whole is None else whole)


def _whole(box: Box, parts: Sequence[Part], layout: BlockLayout) -> Voxels | None:
    """Return the block without copying, if one part is all of it and voxels have one value; else None."""
    if len(parts) > 1 or parts[0].box != box or layout.num_values > 1:
        return None
    return np.asarray(parts[0].voxels[layout.channel or 0])
