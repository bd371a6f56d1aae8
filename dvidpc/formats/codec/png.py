"""PNG chunks: 8 and 16 bits, 1 to 4 channels."""

import struct

from dvidpc.errors import FormatError
from dvidpc.formats.codec.shape import ChunkShape, Voxels, check_pixels, pixels_to_voxels

_HEAD = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_COLOR_TYPES = {0: 1, 2: 3, 4: 2, 6: 4}
"""Channels by colour type; a palette (3) is none of them."""


def decode_png(data: bytes, shape: ChunkShape) -> Voxels:
    """The voxels of a PNG."""
    import imagecodecs  # noqa: PLC0415 - heavy, and few volumes need it

    _check_header(data, shape)
    try:
        pixels = imagecodecs.png_decode(data)
    except (imagecodecs.PngError, ValueError) as error:
        raise FormatError(f"damaged PNG: {error}") from error
    return pixels_to_voxels(pixels, shape)


def _check_header(data: bytes, shape: ChunkShape) -> None:
    """Compare the IHDR with *shape*: PNG specification, 11.2.1."""
    if not data.startswith(_HEAD) or len(data) < len(_HEAD) + 10:
        raise FormatError("damaged PNG: it does not begin as one")
    width, height, bits, color_type = struct.unpack_from(">IIBB", data, len(_HEAD))
    check_pixels("PNG", width, height, shape)
    if bits != shape.data_type.itemsize * 8 or _COLOR_TYPES.get(color_type) != shape.num_channels:
        raise FormatError(
            f"PNG of {bits} bits and colour type {color_type} in a volume of "
            f"{shape.num_channels} x {shape.data_type}"
        )
