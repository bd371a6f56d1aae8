"""How large an encoded chunk can be at most, by encoding; a larger object is not read into memory.

Each bound holds for voxels without any pattern and for chunks that are narrower than the blocks of their
encoding. It may be far too large: decoders check what they get.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import product
from types import MappingProxyType
from typing import Final

from dvidpc.formats.codec.chunk_shape import ChunkShape
from dvidpc.formats.precomputed.info import Encoding

ALLOWANCE: Final = 65_536
"""Bytes for file headers, metadata such as an ICC profile, and padding after the end of an image."""

_JPEG_BLOCK: Final = 209
"""Bytes of 8 x 8 coefficients: each a code of 16 bits and 10 or 11 further bits.  (ISO/IEC 10918-1, F.1)"""
_JXL_BLOCK: Final = 256
"""Bytes of 8 x 8 samples: each a code of 15 bits and up to 17 further bits.  (ISO/IEC 18181-1, annex C)"""
_CHROMA: Final = 2
"""Colors may be stored in units of 16 x 16 pixels instead of 8 x 8."""
_ZFP_SIDE: Final = 4
_ZFP_STREAM: Final = 28
"""Bytes of a stream's header and of its entry in zfpc's index."""
_ZFP_BLOCK: Final = 16
"""Bytes of a block's exponent and of its tests for groups of bits, beside the bits of its values."""


@lru_cache(1024)
def max_encoded_size(encoding: Encoding, shape: ChunkShape) -> int:
    """Return the most bytes that a chunk of *shape* can have as it is stored, compressed once more or not."""
    return stored_size(_BOUNDS[encoding](shape)) + ALLOWANCE


def stored_size(size: int) -> int:
    """Return the most bytes that *size* bytes take once gzip, zstd or brotli has found no pattern in them.

    (zlib 1.3, `deflateBound` for any settings, which exceeds the bounds of the others)
    """
    return size + (size >> 3) + (size >> 6) + 64


def _bound_raw(shape: ChunkShape) -> int:
    return shape.nbytes


def _bound_jpeg(shape: ChunkShape) -> int:
    side = 8 if shape.num_channels == 1 else 8 * _CHROMA
    return _image_blocks(shape, side) * (side // 8) ** 2 * shape.num_channels * _JPEG_BLOCK


def _bound_png(shape: ChunkShape) -> int:
    """Bound rows with a filter byte each, twice as many if interlaced, deflated, in pieces of 8 kB."""
    rows = 2 * max(height for _, height in _image_extents(shape))
    deflated = stored_size(shape.nbytes + rows)
    return deflated + 12 * (deflated // 8192 + 1)


def _bound_jxl(shape: ChunkShape) -> int:
    return _image_blocks(shape, 8) * shape.num_channels * _JXL_BLOCK


def _image_extents(shape: ChunkShape) -> Iterator[tuple[int, int]]:
    """Yield the widths and heights that writers give to the image of a chunk."""
    x, y, z = shape.size
    yield x, y * z
    yield x * y, z
    yield x * z, y


def _image_blocks(shape: ChunkShape, side: int) -> int:
    return max(-(-width // side) * -(-height // side) for width, height in _image_extents(shape))


def _bound_compressed_segmentation(shape: ChunkShape) -> int:
    """Bound whole blocks: a header, 32 bits per voxel, and a table of its own with as many labels."""
    if shape.label_block is None:
        return shape.nbytes
    in_block = math.prod(shape.label_block)
    blocks = math.prod(-(-n // b) for n, b in zip(shape.size, shape.label_block, strict=True))
    return shape.num_channels * (4 + blocks * (8 + in_block * (4 + shape.data_type.itemsize)))


def _bound_compresso(shape: ChunkShape) -> int:
    """Bound windows of 8 x 8 voxels, stored and indexed with 8 bytes each, and three labels per voxel."""
    x, y, z = shape.size
    windows = -(-x // 8) * -(-y // 8) * z
    return 64 + 16 * windows + 16 * z + 3 * shape.nbytes


def _bound_crackle(shape: ChunkShape) -> int:
    """Bound the codes of cracks, 16 bytes per corner of a voxel, and a label and an index per voxel."""
    x, y, z = shape.size
    return 64 + 16 * z + 16 * (x + 1) * (y + 1) * z + 8 * shape.num_voxels + 2 * shape.nbytes


def _bound_fpzip(shape: ChunkShape) -> int:
    """Bound a header, and per value the 32 bits of a residual and 16 bits for their number."""
    return 64 + shape.nbytes + shape.nbytes // 2


def _bound_zfpc(shape: ChunkShape) -> int:
    """Bound the streams for any choice of correlated axes, along which zfp pads values to blocks of four."""
    extents = (*shape.size, shape.num_channels)
    return 64 + max(_zfp_size(extents, choice) for choice in product((True, False), repeat=len(extents)))


def _zfp_size(extents: tuple[int, ...], is_correlated: tuple[bool, ...]) -> int:
    streams = math.prod(n for n, is_one in zip(extents, is_correlated, strict=True) if not is_one)
    blocks = math.prod(-(-n // _ZFP_SIDE) for n, is_one in zip(extents, is_correlated, strict=True) if is_one)
    values: int = _ZFP_SIDE ** max(1, sum(is_correlated))
    return streams * (_ZFP_STREAM + blocks * (_ZFP_BLOCK + 5 * values))


_BOUNDS: Final[Mapping[Encoding, Callable[[ChunkShape], int]]] = MappingProxyType(
    {
        Encoding.RAW: _bound_raw,
        Encoding.JPEG: _bound_jpeg,
        Encoding.PNG: _bound_png,
        Encoding.JXL: _bound_jxl,
        Encoding.COMPRESSED_SEGMENTATION: _bound_compressed_segmentation,
        Encoding.COMPRESSO: _bound_compresso,
        Encoding.CRACKLE: _bound_crackle,
        Encoding.FPZIP: _bound_fpzip,
        Encoding.KEMPRESSED: _bound_fpzip,
        Encoding.ZFPC: _bound_zfpc,
    }
)
