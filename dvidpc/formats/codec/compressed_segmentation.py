"""compressed_segmentation chunks; offsets are checked first, because the library crashes on invalid ones.

(neuroglancer sliceview/compressed_segmentation/README.md)
"""

import math
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import FormatError
from dvidpc.formats.codec.chunk_shape import ChunkShape
from dvidpc.formats.data_types import Voxels
from dvidpc.types import Point

Words = NDArray[np.uint32]

_WORD = 4
_WIDTHS = (0, 1, 2, 4, 8, 16, 32)


def decode_compressed_segmentation(data: bytes, shape: ChunkShape) -> Voxels:
    """Return the voxels of a compressed_segmentation chunk of any number of channels."""
    if shape.label_block is None:
        raise FormatError("compressed_segmentation_block_size is missing")
    check_offsets(data, shape, shape.label_block)
    voxels: Voxels = import_module("compressed_segmentation").decompress(
        data, (*shape.size, shape.num_channels), np.dtype(shape.data_type.value), shape.label_block, order="F"
    )
    return voxels.reshape((*shape.size, shape.num_channels), order="F").T


def check_offsets(data: bytes, shape: ChunkShape, block: Point) -> None:
    """Check that decoding *data* reads nothing outside it.

    Raises:
        FormatError: An offset points outside *data*, or *data* is truncated.
    """
    if len(data) % _WORD or len(data) < _WORD * shape.num_channels:
        raise FormatError(f"truncated compressed_segmentation chunk: {len(data)} bytes")
    words: Words = np.frombuffer(data, "<u4")
    for start in words[: shape.num_channels]:
        _check_channel(words[int(start) :], shape, block)


def _check_channel(words: Words, shape: ChunkShape, block: Point) -> None:
    """Check one channel; its offsets count from the channel's start."""
    blocks = Point(*(-(-n // b) for n, b in zip(shape.size, block, strict=True)))
    count = math.prod(blocks)
    if len(words) < 2 * count:
        raise FormatError("truncated compressed_segmentation chunk: block headers are incomplete")
    headers = words[: 2 * count].reshape(count, 2).astype(np.int64)
    tables, widths, values = headers[:, 0] & 0xFFFFFF, headers[:, 0] >> 24, headers[:, 1]
    if not np.isin(widths, _WIDTHS).all():
        raise FormatError("malformed compressed_segmentation chunk: a block has an invalid bit width")
    lengths = -(-widths * math.prod(block) // 32)
    if ((values + lengths > len(words)) & (widths > 0)).any():
        raise FormatError("malformed compressed_segmentation chunk: a block's values lie past the end")
    entry = shape.data_type.itemsize // _WORD
    room = (len(words) - tables) // entry
    for at in np.flatnonzero(room < 1 << widths):
        used = words[values[at] : values[at] + lengths[at]]
        largest = _largest_index(used, int(widths[at]), _extent(int(at), blocks, block, shape.size), block)
        if largest >= room[at]:
            raise FormatError("malformed compressed_segmentation chunk: a lookup table lies past the end")


def _extent(at: int, blocks: Point, block: Point, size: Point) -> Point:
    """Return how much of block number *at*, x fastest, lies in the chunk."""
    z, rest = divmod(at, blocks.x * blocks.y)
    y, x = divmod(rest, blocks.x)
    return Point(*(min(b, n - g * b) for g, b, n in zip((x, y, z), block, size, strict=True)))


def _largest_index(used: Words, width: int, extent: Point, block: Point) -> int:
    """Return the largest table index that the voxels of a block use; only *extent* of it is in the chunk."""
    if width == 0:
        return 0
    shifts = np.arange(0, 32, width, dtype=np.uint32)
    mask = np.uint32((1 << width) - 1)
    indexes = (used[:, None] >> shifts & mask).reshape(-1)[: math.prod(block)]
    x, y, z = extent
    return int(indexes.reshape(block.z, block.y, block.x)[:z, :y, :x].max())
