"""Turns a compressed_segmentation chunk into a labels.Block without expanding it to voxels."""

from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.dvid.index_bits import Octets, bits_for, pack_high_first
from dvidpc.formats.dvid.labels_block import encode_block, join_block, value_rows
from dvidpc.formats.dvid.sub_blocks import NUM_VOXELS, SIDE
from dvidpc.formats.precomputed.label_chunk import LabelChunk, Labels, Offsets
from dvidpc.formats.precomputed.label_indexes import Words, unpack_indexes
from dvidpc.formats.precomputed.label_voxels import decode_voxels
from dvidpc.types import Point

_SUB_BLOCK: Final = Point(SIDE, SIDE, SIDE)


def transcode(chunk: LabelChunk) -> bytes | None:
    """Return a chunk as labels.Block; None if it must be decoded and encoded instead.

    A chunk qualifies if it consists of whole sub-blocks of 8^3 voxels, each table names a label once, and the
    voxels use every index up to the largest. A labels.Block must not list a label that no voxel has.
    """
    if chunk.sub_block != _SUB_BLOCK or any(n % SIDE for n in chunk.size):
        return None
    packed = {width: (numbers, chunk.packed(numbers, width)) for width, numbers in chunk.by_width() if width}
    counts = np.ones(len(chunk.widths), np.intp)
    for width, (numbers, words) in packed.items():
        counts[numbers] = _count_used(words, width)
    if not counts.all():
        return None
    tables = chunk.labels_at(_table_positions(chunk, counts))
    if _has_duplicates(tables, counts):
        return None
    values, bits = value_rows(counts), bits_for(counts)
    for width, (numbers, words) in packed.items():
        for narrow in range(1, width + 1):
            here = bits[numbers] == narrow
            if here.any():
                values.put(numbers[here], narrow, _repack(words[here], width, narrow))
    return join_block(chunk.grid, counts, tables, values)


def encode_chunk(chunk: LabelChunk) -> bytes:
    """Return a chunk whose sides are multiples of 8 as labels.Block, by the fastest way."""
    return transcode(chunk) or encode_block(decode_voxels(chunk))


def _count_used(words: Words, width: int) -> Offsets:
    """Return how many indexes each sub-block uses; 0 if it does not use all from 0 to the largest."""
    if width in _USED:
        used = np.bitwise_or.reduce(_USED[width].take(words.view(np.uint8)), axis=1).astype(np.intp)
        return np.where(used & (used + 1), 0, np.bitwise_count(used))
    indexes = unpack_indexes(words, width, NUM_VOXELS).astype(np.intp)
    largest = indexes.max(axis=1)
    seen = np.zeros((len(words), NUM_VOXELS), np.bool_)
    seen[np.arange(len(words))[:, None], np.minimum(indexes, NUM_VOXELS - 1)] = True
    counts = seen.sum(axis=1)
    return np.where(counts == largest + 1, counts, 0)


def _table_positions(chunk: LabelChunk, counts: Offsets) -> Offsets:
    """Return where in `words` each label of each table starts."""
    within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    positions: Offsets = np.repeat(chunk.tables, counts) + within * chunk.step
    return positions


def _has_duplicates(tables: Labels, counts: Offsets) -> bool:
    """Return whether a table, of as many labels as *counts* says, has a label twice."""
    owner = np.repeat(np.arange(len(counts)), counts)
    if ((tables[1:] > tables[:-1]) | (owner[1:] != owner[:-1])).all():
        return False  # sorted, as the usual writers leave them
    labels, which = np.unique(tables, return_inverse=True)
    return len(np.unique(owner * len(labels) + which)) < len(tables)


def _repack(words: Words, width: int, narrow: int) -> Octets:
    """Return indexes of *width* bits, lowest bits first, as indexes of *narrow* bits, highest bit first."""
    if width == narrow and width in _FLIPPED:
        return _FLIPPED[width].take(words.view(np.uint8))
    return pack_high_first(unpack_indexes(words, width, NUM_VOXELS), narrow)


def _used_indexes(width: int) -> NDArray[np.unsignedinteger[Any]]:
    """Return a table from a packed octet to the set of its indexes, one bit each."""
    octets = np.arange(256, dtype=np.uint32)[:, None]
    indexes = octets >> np.arange(0, 8, width, dtype=np.uint32) & np.uint32((1 << width) - 1)
    sets: NDArray[np.unsignedinteger[Any]] = np.bitwise_or.reduce(np.uint32(1) << indexes, axis=1)
    return sets.astype(np.uint16 if width == 4 else np.uint8)


def _flipped(width: int) -> Octets:
    """Return a table from a packed octet to the octet with its indexes in reverse order."""
    octets = np.arange(256, dtype=np.uint32)[:, None]
    low = np.arange(0, 8, width, dtype=np.uint32)
    indexes = octets >> low & np.uint32((1 << width) - 1)
    flipped: Octets = np.bitwise_or.reduce(indexes << low[::-1], axis=1).astype(np.uint8)
    return flipped


_USED: Final = MappingProxyType({width: _used_indexes(width) for width in (1, 2, 4)})
_FLIPPED: Final = MappingProxyType({width: _flipped(width) for width in (1, 2, 4)})
