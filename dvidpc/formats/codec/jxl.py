"""JPEG XL chunks, naked or in a container: 8 bits, 1, 3 or 4 channels."""

from collections.abc import Iterator

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.codec.shape import ChunkShape, Voxels, check_pixels, pixels_to_voxels

_CODESTREAM = b"\xff\x0a"
_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_SIZE_BITS = (9, 13, 18, 30)


def decode_jxl(data: bytes, shape: ChunkShape) -> Voxels:
    """The voxels of a JPEG XL image of one frame."""
    import imagecodecs  # noqa: PLC0415 - heavy, and few volumes need it

    width, height = read_jxl_size(data)
    check_pixels("JPEG XL", width, height, shape)
    channels = () if shape.num_channels == 1 else (shape.num_channels,)
    pixels = np.empty((height, width, *channels), shape.dtype)
    try:
        imagecodecs.jpegxl_decode(data, out=pixels, numthreads=1)
    except (imagecodecs.JpegxlError, ValueError, RuntimeError) as error:
        raise FormatError(f"damaged JPEG XL, or not of {shape.num_channels} channel(s): {error}") from error
    return pixels_to_voxels(pixels, shape)


def read_jxl_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels as the header says: ISO/IEC 18181-1, `SizeHeader`.

    Raises:
        FormatError: *data* does not begin as a JPEG XL image.
    """
    codestream = _find_codestream(data) if data.startswith(_CONTAINER) else data
    if not codestream.startswith(_CODESTREAM) or len(codestream) < 12:
        raise FormatError("damaged JPEG XL: it does not begin as one")
    bits = _Bits(int.from_bytes(codestream[2:12], "little"))
    is_small = bits.take(1)
    height = bits.take_side(is_small=bool(is_small))
    ratio = bits.take(3)
    if ratio:
        numerator, denominator = _RATIOS[ratio - 1]
        return height * numerator // denominator, height
    return bits.take_side(is_small=bool(is_small)), height


class _Bits:
    """Numbers of some bits each, lowest bits first."""

    def __init__(self, value: int) -> None:
        self._value = value

    def take(self, count: int) -> int:
        """The next *count* bits."""
        number = self._value & ((1 << count) - 1)
        self._value >>= count
        return number

    def take_side(self, *, is_small: bool) -> int:
        """A width or height: in steps of eight up to 256, or with as many bits as a selector says."""
        if is_small:
            return 8 * (self.take(5) + 1)
        return self.take(_SIZE_BITS[self.take(2)]) + 1


def _find_codestream(data: bytes) -> bytes:
    """The start of the codestream of a container.

    It is in a box `jxlc` or, in parts, in boxes `jxlp`.  (ISO/IEC 18181-2)
    """
    for kind, content in _boxes(data):
        if kind == b"jxlc":
            return content
        if kind == b"jxlp":
            return content[4:]
    return b""


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and first bytes of each box."""
    position = 0
    while position + 8 <= len(data):
        size, kind = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        head = 8
        if size == 1:
            size, head = int.from_bytes(data[position + 8 : position + 16], "big"), 16
        yield kind, data[position + head : position + head + 32]
        if size < head:
            return
        position += size
