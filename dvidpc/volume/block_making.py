"""Make the payload of a block from stored chunks: decode, assemble, encode. Takes milliseconds."""

from collections.abc import Sequence

import numpy as np

from dvidpc.formats.assembly import BlockLayout, Part, Piece, assemble
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.grid import Box
from dvidpc.formats.payloads import Payload
from dvidpc.formats.precomputed.label_chunk import LabelChunk
from dvidpc.sources.base import ChunkSource
from dvidpc.volume.label_view import LabelView


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
    return make_from_parts(box, [Part(piece.box, source.decode(piece.cell, data))], layout, payload)


def cut_from_view(view: LabelView, piece: Piece, payload: Payload) -> bytes:
    """Return the payload of a block that is a part of one chunk of labels, for a payload that transcodes."""
    assert isinstance(view.chunk, LabelChunk)
    assert payload.transcode is not None
    return payload.transcode(view.chunk.crop(piece.corner, piece.box.size))


def make_from_parts(box: Box, parts: Sequence[Part], layout: BlockLayout, payload: Payload) -> bytes:
    """Return the payload of a block that consists of *parts*; voxels that no part has are zero."""
    whole = _whole(box, parts, layout)
    return payload.encode(assemble(box, parts, layout) if whole is None else whole)


def _whole(box: Box, parts: Sequence[Part], layout: BlockLayout) -> Voxels | None:
    """Return the block without copying, if one part is all of it and voxels have one value; else None."""
    if len(parts) > 1 or parts[0].box != box or layout.num_values > 1:
        return None
    return np.asarray(parts[0].voxels[layout.channel or 0])
