"""Counts the voxels of each label in each block that a chunk touches."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.dvid.label_index import pack_blocks
from dvidpc.formats.precomputed.label_chunk import LabelChunk
from dvidpc.formats.precomputed.label_counts import SubBlockCounts, count_sub_blocks
from dvidpc.formats.precomputed.label_voxels import decode_voxels
from dvidpc.index.layout import BLOCK_SIZE
from dvidpc.types import Point


class BlockCounts(NamedTuple):
    """How many voxels of a label a block has. A pair of label and block may occur several times: add them."""

    labels: NDArray[np.uint64]
    """Never 0."""
    blocks: NDArray[np.uint64]
    """As `pack_blocks` makes them."""
    voxels: NDArray[np.uint32]

    @property
    def rows(self) -> int:
        """How many pairs there are."""
        return len(self.labels)

    def take(self, which: NDArray[Any]) -> "BlockCounts":
        """Return some rows, by their numbers or by a mask."""
        return BlockCounts(self.labels[which], self.blocks[which], self.voxels[which])


NO_COUNTS = BlockCounts(np.zeros(0, np.uint64), np.zeros(0, np.uint64), np.zeros(0, np.uint32))


def join_counts(parts: Sequence[BlockCounts]) -> BlockCounts:
    """Return the counts of all parts, one after the other."""
    return BlockCounts(*map(np.concatenate, zip(NO_COUNTS, *parts, strict=True)))


def count_chunk(chunk: LabelChunk, start: Point) -> BlockCounts:
    """Count the labels of a chunk whose first voxel is *start*, in absolute coordinates."""
    if not _is_aligned(chunk, start):
        return count_voxels(decode_voxels(chunk), start)
    counts = count_sub_blocks(chunk)
    spans = [
        [(first + at * side) // BLOCK_SIZE for at in range(n)]
        for first, side, n in zip(start, chunk.sub_block, chunk.grid, strict=True)
    ]
    return _add_up(counts, spans)


def count_voxels(voxels: NDArray[Any], start: Point) -> BlockCounts:
    """Count voxels `[z, y, x]` of an unsigned type, the first of which lies at *start*."""
    spans = [_cut(first, n) for first, n in zip(start, reversed(voxels.shape), strict=True)]
    found = []
    for z, in_z in spans[2]:
        for y, in_y in spans[1]:
            for x, in_x in spans[0]:
                labels, counts = _count_runs(voxels[in_z, in_y, in_x])
                found.append(_of_block(labels, counts, Point(x, y, z)))
    return join_counts(found)


def _is_aligned(chunk: LabelChunk, start: Point) -> bool:
    """Return whether every sub-block lies in one block."""
    return all(
        first // BLOCK_SIZE == (first + n - 1) // BLOCK_SIZE or (first % side == 0 and BLOCK_SIZE % side == 0)
        for first, n, side in zip(start, chunk.size, chunk.sub_block, strict=True)
    )


def _add_up(counts: SubBlockCounts, spans: Sequence[Sequence[int]]) -> BlockCounts:
    """Add up sub-blocks; *spans* has the block of each along x, y and z."""
    labels, which = np.unique(counts.labels, return_inverse=True)
    if all(span[0] == span[-1] for span in spans):
        voxels = np.bincount(which, counts.counts, len(labels))
        return _of_block(labels, voxels, Point(*(span[0] for span in spans)))
    x, y, z = (np.array(span, np.int64) for span in spans)
    sub_blocks = np.stack(
        [axis.reshape(-1) for axis in np.broadcast_arrays(x, y[:, None], z[:, None, None])], 1
    )
    blocks, of_sub_block = np.unique(pack_blocks(sub_blocks), return_inverse=True)
    keys = which.reshape(-1) * len(blocks) + of_sub_block.reshape(-1)[counts.numbers]
    pairs, at = np.unique(keys, return_inverse=True)
    voxels = np.bincount(at, counts.counts, len(pairs))
    return _without_zero(labels[pairs // len(blocks)], blocks[pairs % len(blocks)], voxels)


def _cut(first: int, length: int) -> list[tuple[int, slice]]:
    """Return the blocks along an axis, each with its voxels, counted from *first*."""
    blocks = range(first // BLOCK_SIZE, (first + length - 1) // BLOCK_SIZE + 1)
    return [
        (at, slice(max(0, at * BLOCK_SIZE - first), min(length, (at + 1) * BLOCK_SIZE - first)))
        for at in blocks
    ]


def _count_runs(voxels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the labels of some voxels and how often each occurs; sorts runs, of which there are few."""
    flat = voxels.reshape(-1)
    starts = np.flatnonzero(np.append(True, flat[1:] != flat[:-1]))
    labels, which = np.unique(flat[starts], return_inverse=True)
    return labels, np.bincount(which, np.diff(starts, append=len(flat)), len(labels))


def _of_block(labels: NDArray[Any], voxels: NDArray[Any], block: Point) -> BlockCounts:
    packed = pack_blocks(np.array([block], np.int64))
    return _without_zero(labels, np.repeat(packed, len(labels)), voxels)


def _without_zero(labels: NDArray[Any], blocks: NDArray[np.uint64], voxels: NDArray[Any]) -> BlockCounts:
    counts = BlockCounts(labels.astype(np.uint64), blocks, voxels.astype(np.uint32))
    is_label = labels != 0
    return counts if is_label.all() else counts.take(is_label)


def add_equal(counts: BlockCounts) -> BlockCounts:
    """Add up the voxels of neighboring pairs of the same label and block."""
    if not counts.rows:
        return counts
    labels, blocks, voxels = counts
    starts = np.flatnonzero(np.append(True, (labels[1:] != labels[:-1]) | (blocks[1:] != blocks[:-1])))
    return BlockCounts(labels[starts], blocks[starts], np.add.reduceat(voxels, starts))
