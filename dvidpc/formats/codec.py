"""Chunks as stored to voxels, and voxels to the payloads DVID serves.

Arrays are `[c, z, y, x]` where they come from chunks: the order in which a chunk lists its voxels,
x fastest and channel slowest.  (precomputed volume.md#chunk-encoding)

All functions here are pure and may run in any thread; decoding and encoding take milliseconds.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from dvidpc.errors import FormatError
from dvidpc.formats.info import DataType, Encoding
from dvidpc.types import Point

Voxels = NDArray[Any]

JPEG_QUALITY = 80
"""What DVID re-encodes with (image.go:64, 3400c2cb)."""

_JPEG_MAX_SIDE = 65_500
_END_OF_IMAGE = b"\xff\xd9"


class ChunkShape(NamedTuple):
    """What a chunk must hold once decoded."""

    size: Point
    """Voxels along x, y and z, clipped at the volume's upper end."""
    num_channels: int
    data_type: DataType

    @property
    def czyx(self) -> tuple[int, int, int, int]:
        """The shape of the decoded array."""
        return self.num_channels, self.size.z, self.size.y, self.size.x

    @property
    def nbytes(self) -> int:
        """Bytes of the decoded array."""
        return math.prod(self.czyx) * self.data_type.itemsize

    @property
    def dtype(self) -> np.dtype[Any]:
        """The decoded array's type, little-endian."""
        return np.dtype(self.data_type.value).newbyteorder("<")

    @property
    def max_encoded_size(self) -> int:
        """Bytes beyond which an encoded chunk is surely damaged: no codec doubles its input."""
        return 2 * self.nbytes + 65_536


def decode_chunk(data: bytes, encoding: Encoding, shape: ChunkShape) -> Voxels:
    """The voxels of an encoded chunk, as an array of *shape*; may share memory with *data*.

    Raises:
        FormatError: *data* is damaged, or not of *shape*; nothing larger than *shape* was allocated.
    """
    if not data:
        raise FormatError("chunk is empty (0 bytes)")
    return _DECODERS[encoding](data, shape)


def can_decode(encoding: Encoding, data_type: DataType, num_channels: int) -> bool:
    """Whether `decode_chunk` knows this combination."""
    if encoding is Encoding.JPEG:
        return data_type is DataType.UINT8 and num_channels in (1, 3)
    return encoding in _DECODERS


def _decode_raw(data: bytes, shape: ChunkShape) -> Voxels:
    if len(data) != shape.nbytes:
        raise FormatError(f"raw chunk holds {len(data)} bytes, not {shape.nbytes}")
    return np.frombuffer(data, dtype=shape.dtype).reshape(shape.czyx)


def _decode_jpeg(data: bytes, shape: ChunkShape) -> Voxels:
    check_jpeg(data, shape)
    try:
        if shape.num_channels == 1:
            grey: Voxels = simplejpeg.decode_jpeg(data, colorspace="GRAY")
            return grey.reshape(shape.czyx)
        pixels: Voxels = simplejpeg.decode_jpeg(data, colorspace="RGB")
    except (ValueError, KeyError) as error:  # KeyError: a chroma subsampling that simplejpeg has no name for
        raise FormatError(f"damaged JPEG: {error}") from error
    return np.moveaxis(pixels.reshape(*shape.czyx[1:], shape.num_channels), -1, 0)


_DECODERS: dict[Encoding, Callable[[bytes, ChunkShape], Voxels]] = {
    Encoding.RAW: _decode_raw,
    Encoding.JPEG: _decode_jpeg,
}


def check_jpeg(data: bytes, shape: ChunkShape) -> None:
    """Make sure, from its header and end alone, that a JPEG holds a chunk of *shape*.

    Any width and height are right whose product is the number of voxels. A JPEG of 333 bytes may
    claim 65500 x 65500 pixels, so this comes before any decoding.

    Raises:
        FormatError: It does not, or it is cut short.
    """
    try:
        height, width, colorspace, _ = simplejpeg.decode_jpeg_header(data)
    except (ValueError, KeyError) as error:  # KeyError: a chroma subsampling that simplejpeg has no name for
        raise FormatError(f"damaged JPEG: {error}") from error
    if int(height) * int(width) != math.prod(shape.size):
        raise FormatError(f"JPEG has {width}x{height} pixels, not {math.prod(shape.size)} voxels")
    if (colorspace == "Gray") != (shape.num_channels == 1):
        raise FormatError(f"JPEG is {colorspace}, but the volume has {shape.num_channels} channel(s)")
    if _END_OF_IMAGE not in data[-64:]:
        raise FormatError("JPEG is cut short: no end-of-image marker")


def encode_jpeg(block_zyx: NDArray[np.uint8]) -> bytes:
    """A baseline grayscale JPEG of a block: rows as in memory, width x, height y times z.

    Blocks whose y times z exceed what a JPEG allows become wider instead; clients take any
    width whose product with the height is right.
    """
    depth, height, width = block_zyx.shape
    rows = depth * height
    while rows > _JPEG_MAX_SIDE and rows % 2 == 0:
        rows //= 2
        width *= 2
    return bytes(
        simplejpeg.encode_jpeg(
            np.ascontiguousarray(block_zyx).reshape(rows, width, 1), quality=JPEG_QUALITY, colorspace="GRAY"
        )
    )


def encode_raw(block_czyx: Voxels) -> bytes:
    """The voxels of a block as DVID lists them: x fastest, little-endian, channels of a voxel together."""
    if block_czyx.shape[0] == 1:
        return block_czyx.tobytes()
    return np.moveaxis(block_czyx, 0, -1).tobytes()
