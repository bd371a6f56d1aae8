"""Counts the voxels of each label in a compressed_segmentation chunk, without expanding it to voxels."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.precomputed.label_chunk import LabelChunk, Labels, Offsets, voxels_in_chunk
from dvidpc.formats.precomputed.label_indexes import Indexes

_LOW_BITS: Final = np.uint32(0x55555555)
"""The lower bit of each index of 2 bits."""


class SubBlockCounts(NamedTuple):
    """How many voxels use each entry of each sub-block's table; only what is used is listed, in any order."""

    numbers: Offsets
    """The sub-blocks, x fastest."""
    labels: Labels
    """The labels of the entries; a sub-block may have several entries of one label."""
    counts: NDArray[np.int64]
    """At least 1."""


class _Used(NamedTuple):
    """As `SubBlockCounts`, with the position of an entry in its table in place of its label."""

    numbers: Offsets
    entries: Offsets
    counts: NDArray[np.int64]


def count_sub_blocks(chunk: LabelChunk) -> SubBlockCounts:
    """Count the voxels of every sub-block; padding does not count."""
    inside = voxels_in_chunk(chunk, np.arange(len(chunk.widths)))
    clipped = np.zeros(len(chunk.widths), bool) if inside is None else ~inside.all(axis=1)
    parts = [
        _count_tight(chunk, numbers, width) for width, numbers in chunk.by_width(np.flatnonzero(~clipped))
    ]
    if inside is not None:
        parts += [
            _count_clipped(chunk.indexes(numbers, width), numbers, inside[numbers])
            for width, numbers in chunk.by_width(np.flatnonzero(clipped))
        ]
    numbers, entries, counts = (np.concatenate(column) for column in zip(*parts, strict=True))
    return SubBlockCounts(numbers, chunk.labels_at(chunk.tables[numbers] + entries * chunk.step), counts)


def _count_tight(chunk: LabelChunk, numbers: Offsets, width: int) -> _Used:
    """Count sub-blocks without padding whose indexes have *width* bits."""
    voxels = chunk.sub_block_voxels
    if width == 0:
        return _Used(numbers, np.zeros(len(numbers), np.intp), np.full(len(numbers), voxels, np.int64))
    fills_words = voxels * width % 32 == 0
    if width == 1 and fills_words:
        ones = np.bitwise_count(chunk.packed(numbers, width)).sum(axis=1, dtype=np.int64)
        return _used(numbers, np.stack([voxels - ones, ones], axis=1))
    if width == 2 and fills_words:
        return _used(numbers, _count_pairs(chunk, numbers))
    return _count_indexes(chunk.indexes(numbers, width), numbers)


def _count_pairs(chunk: LabelChunk, numbers: Offsets) -> NDArray[np.int64]:
    """Return how often each index of 2 bits occurs `[sub-block, index]`."""
    packed = chunk.packed(numbers, 2)
    low, high = packed & _LOW_BITS, packed >> np.uint32(1) & _LOW_BITS
    ones, twos, threes = (
        np.bitwise_count(bits).sum(axis=1, dtype=np.int64) for bits in (low & ~high, high & ~low, low & high)
    )
    return np.stack([chunk.sub_block_voxels - ones - twos - threes, ones, twos, threes], axis=1)


def _used(numbers: Offsets, counts: NDArray[np.int64]) -> _Used:
    rows, entries = np.nonzero(counts)
    return _Used(numbers[rows], entries, counts[rows, entries])


def _count_indexes(indexes: Indexes, numbers: Offsets) -> _Used:
    most = int(indexes.max()) + 1
    if most > indexes.shape[1]:  # a table that sub-blocks share: counting every index would take too much
        return _count_sorted(indexes.reshape(-1), np.repeat(numbers, indexes.shape[1]))
    keys = indexes + np.arange(len(numbers), dtype=np.intp)[:, None] * most
    counts = np.bincount(keys.reshape(-1), minlength=len(numbers) * most)
    return _used(numbers, counts.reshape(len(numbers), most))


def _count_clipped(indexes: Indexes, numbers: Offsets, inside: NDArray[np.bool_]) -> _Used:
    rows, columns = np.nonzero(inside)
    return _count_sorted(indexes[rows, columns], numbers[rows])


def _count_sorted(entries: Indexes, numbers: Offsets) -> _Used:
    """Count pairs of a sub-block and an index; an index has at most 32 bits."""
    pairs = numbers.astype(np.uint64) << np.uint64(32) | entries.astype(np.uint64)
    found, counts = np.unique(pairs, return_counts=True)
    low = np.uint64(2**32 - 1)
    return _Used((found >> np.uint64(32)).astype(np.intp), (found & low).astype(np.intp), counts)
