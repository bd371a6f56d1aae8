"""Decodes compressed_segmentation chunks to voxels, and counts the voxels of their labels, in numpy."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.precomputed.label_chunk import LabelChunk, Labels, Offsets
from dvidpc.types import Point


class LabelCounts(NamedTuple):
    """The labels of a chunk, ascending, and how many voxels each has."""

    labels: Labels
    counts: NDArray[np.int64]


def decode_voxels(chunk: LabelChunk) -> Labels:
    """Return the labels of all voxels `[z, y, x]`, in the type in which they are stored."""
    return chunk.labels_at(_positions(chunk))


def cut_voxels(chunk: LabelChunk, corner: Point, size: Point) -> Labels:
    """Return the labels `[z, y, x]` of a part of a chunk; only the sub-blocks that it touches are decoded.

    Args:
        chunk: The chunk.
        corner: The first voxel of the part.
        size: Its voxels; it must lie in the chunk.
    """
    ends = zip(corner, size, chunk.sub_block, chunk.size, strict=True)
    first = Point(*(at // b * b for at, b in zip(corner, chunk.sub_block, strict=True)))
    last = Point(*(min(-(-(at + n) // b) * b, most) for at, n, b, most in ends))
    whole = Point(*(stop - start for start, stop in zip(first, last, strict=True)))
    voxels = decode_voxels(chunk if whole == chunk.size else chunk.crop(first, whole))
    (x, y, z), (width, height, depth) = (at - o for at, o in zip(corner, first, strict=True)), size
    return voxels[z : z + depth, y : y + height, x : x + width]


def count_labels(chunk: LabelChunk) -> LabelCounts:
    """Return which labels the voxels of a chunk have, and how often; padding does not count."""
    per_word = np.bincount(_positions(chunk).reshape(-1))
    used = np.flatnonzero(per_word)
    labels, which = np.unique(chunk.labels_at(used), return_inverse=True)
    counts = np.zeros(len(labels), np.int64)
    np.add.at(counts, which, per_word[used])
    return LabelCounts(labels, counts)


def _positions(chunk: LabelChunk) -> Offsets:
    """Return where in `words` the label of each voxel `[z, y, x]` starts."""
    (bx, by, bz), (gx, gy, gz) = chunk.sub_block, chunk.grid
    if not chunk.widths.any():
        return _spread_tables(chunk)
    relative = _relative_positions(chunk).reshape(gz, gy, gx, bz, by, bx).transpose(0, 3, 1, 4, 2, 5)
    positions = relative + chunk.tables.reshape(gz, 1, gy, 1, gx, 1)
    padded = positions.reshape(gz * bz, gy * by, gx * bx)
    return np.ascontiguousarray(padded[: chunk.size.z, : chunk.size.y, : chunk.size.x])


def _spread_tables(chunk: LabelChunk) -> Offsets:
    """Return where each voxel's table starts `[z, y, x]`; padding takes no memory."""
    tables = chunk.tables.reshape(chunk.grid[::-1])
    x, y, z = (np.arange(n) // b for n, b in zip(chunk.size, chunk.sub_block, strict=True))
    return tables[z[:, None, None], y[:, None], x]


def _relative_positions(chunk: LabelChunk) -> NDArray[np.unsignedinteger[Any]]:
    """Return where in its table the label of each voxel `[sub-block, voxel]` starts.

    Indexes of padding may be too large; they wrap around and are never read.
    """
    dtype = np.uint32 if chunk.widths.max() > 8 else np.uint16
    relative = np.zeros((len(chunk.widths), chunk.sub_block_voxels), dtype)
    for width, numbers in chunk.by_width():
        if width:
            relative[numbers] = chunk.indexes(numbers, width)
    relative *= dtype(chunk.step)
    return relative
