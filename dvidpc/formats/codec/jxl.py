"""JPEG XL chunks of 8 bits and 1, 3 or 4 channels, with or without a container."""

from collections.abc import Iterator
from importlib import import_module

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.codec.chunk_shape import ChunkShape
from dvidpc.formats.codec.image_chunks import check_pixels, pixels_to_voxels
from dvidpc.formats.data_types import Voxels

_CODESTREAM = b"\xff\x0a"
_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_SIZE_BITS = (9, 13, 18, 30)
_HEADER = 12
"""Bytes of a codestream that hold the size, at most."""


def decode_jxl(data: bytes, shape: ChunkShape) -> Voxels:
    """Return the voxels of a JPEG XL image of one frame."""
    imagecodecs = import_module("imagecodecs")  # here, because it takes 0.1 s and few volumes need it
    width, height = read_jxl_size(data)
    check_pixels("JPEG XL", width, height, shape)
    channels = () if shape.num_channels == 1 else (shape.num_channels,)
    pixels = np.empty((height, width, *channels), shape.dtype)
    try:
        imagecodecs.jpegxl_decode(data, out=pixels, numthreads=1)
    except (imagecodecs.JpegxlError, ValueError, RuntimeError) as error:
        raise FormatError(
            f"JPEG XL is malformed or does not have {shape.num_channels} channel(s): {error}"
        ) from error
    return pixels_to_voxels(pixels, shape)


def read_jxl_size(data: bytes) -> tuple[int, int]:
    """Return width and height in pixels from the header (ISO/IEC 18181-1, `SizeHeader`).

    Raises:
        FormatError: *data* does not start with a JPEG XL header.
    """
    codestream = _find_codestream(data) if data.startswith(_CONTAINER) else data
    if not codestream.startswith(_CODESTREAM):
        raise FormatError("malformed JPEG XL: no JPEG XL header")
    bits = _Bits(int.from_bytes(codestream[2:_HEADER], "little"))
    is_small = bits.take(1)
    height = bits.take_side(is_small=bool(is_small))
    ratio = bits.take(3)
    if ratio:
        numerator, denominator = _RATIOS[ratio - 1]
        return height * numerator // denominator, height
    return bits.take_side(is_small=bool(is_small)), height


class _Bits:
    """Reads unsigned integers of given bit widths, lowest bits first."""

    def __init__(self, value: int) -> None:
        self._value = value

    def take(self, count: int) -> int:
        """Return the next *count* bits."""
        number = self._value & ((1 << count) - 1)
        self._value >>= count
        return number

    def take_side(self, *, is_small: bool) -> int:
        """Return a width or height: 5 bits in units of 8 pixels, or a bit width and then the value."""
        if is_small:
            return 8 * (self.take(5) + 1)
        return self.take(_SIZE_BITS[self.take(2)]) + 1


def _find_codestream(data: bytes) -> bytes:
    """Return the start of the codestream in a container; empty if there is none.

    It lies in a `jxlc` box or is split into `jxlp` boxes of any size.  (ISO/IEC 18181-2)
    """
    found = b""
    for kind, content in _boxes(data):
        if kind == b"jxlc":
            return content
        if kind == b"jxlp":
            found += content[4:]
        if len(found) >= _HEADER:
            break
    return found


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the type and the first 32 bytes of each box."""
    position = 0
    while position + 8 <= len(data):
        size, kind = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        head = 8
        if size == 1:
            size, head = int.from_bytes(data[position + 8 : position + 16], "big"), 16
        start, stop = position + head, position + size if size else len(data)  # 0: the box is the last one
        yield kind, data[start : min(stop, start + 32)]
        if size < head:
            return
        position += size
