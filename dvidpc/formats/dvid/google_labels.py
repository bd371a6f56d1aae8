"""DVID's `google` compression of labels: compressed_segmentation of 64-bit labels in sub-blocks of 8^3.

The bytes are those of DVID. Each sub-block has its packed indexes and then a table of its own, whose labels
are in the order of their first voxels.  (datatype/labelmap/compression.go:213-270, 3400c2cb)
"""

import math
import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import TooLargeError
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.dvid.sub_blocks import NUM_VOXELS, SIDE, split_sub_blocks
from dvidpc.formats.precomputed.label_chunk import Offsets
from dvidpc.formats.precomputed.label_indexes import WIDTHS, pack_indexes, packed_length
from dvidpc.types import Point

GOOGLE_SUB_BLOCK: Final = Point(SIDE, SIDE, SIDE)
"""Extent of a sub-block."""
_HEADER_WORDS = 2
_LABEL_WORDS = 2
_MAX_OFFSET = 0xFFFFFF
_WIDTH_FOR = np.array([min(width for width in WIDTHS if n <= 1 << width) for n in range(NUM_VOXELS + 1)])
"""The width of an index into a table, by the table's length."""


def encode_google(voxels_zyx: Voxels) -> bytes:
    """Return unsigned integers `[z, y, x]` as a compressed_segmentation chunk of uint64 labels.

    Sizes that are not multiples of 8 are padded with 0, as the format requires. DVID refuses them.

    Raises:
        TooLargeError: The tables do not fit into 2^24 words, the format's limit.
    """
    split = split_sub_blocks(voxels_zyx)
    widths = _WIDTH_FOR[split.counts]
    value_lengths, table_lengths = _WIDTH_LENGTHS[widths], _LABEL_WORDS * split.counts
    ends = _HEADER_WORDS * len(widths) + np.cumsum(value_lengths + table_lengths)
    tables = ends - table_lengths
    if tables[-1] > _MAX_OFFSET:
        raise _too_large(voxels_zyx.size)
    values = tables - value_lengths
    words = np.empty(1 + int(ends[-1]), "<u4")
    words[0] = 1
    channel = words[1:]
    headers = channel[: _HEADER_WORDS * len(widths)].reshape(-1, 2)
    headers[:, 0], headers[:, 1] = tables | widths << 24, values
    channel[_runs(tables, table_lengths)] = split.labels.astype("<u8").view("<u4")
    for width in np.unique(widths[widths > 0]):
        numbers = np.flatnonzero(widths == width)
        at = values[numbers, None] + np.arange(_WIDTH_LENGTHS[width])
        channel[at] = pack_indexes(split.indexes[numbers], int(width))
    return words.tobytes()


def encode_solid_google(size: Point, label: int) -> bytes:
    """Return a box of one label; its sub-blocks share a table, so that gzip makes it tiny.

    Neuroglancer asks for many boxes of 0, because it rounds the bounds of a volume up to whole chunks.

    Raises:
        TooLargeError: The headers do not fit into 2^24 words, the format's limit.
    """
    count = math.prod(-(-n // SIDE) for n in size)
    if _HEADER_WORDS * count > _MAX_OFFSET:
        raise _too_large(math.prod(size))
    channel = np.full(_HEADER_WORDS * count, _HEADER_WORDS * count, "<u4")
    return struct.pack("<I", 1) + channel.tobytes() + struct.pack("<Q", label)


def _too_large(num_voxels: int) -> TooLargeError:
    return TooLargeError(f"google: cannot encode a box of {num_voxels} voxels; ask for less")


def _runs(starts: Offsets, lengths: Offsets) -> NDArray[np.intp]:
    """Return the numbers from each start on, as many as its length, one run after the other."""
    within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    runs: NDArray[np.intp] = np.repeat(starts, lengths) + within
    return runs


_WIDTH_LENGTHS = np.array([packed_length(NUM_VOXELS, width) for width in range(max(WIDTHS) + 1)])
"""How many words the indexes of a sub-block take, by their width."""
