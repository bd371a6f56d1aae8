"""PNG chunks of 8 or 16 bits and 1 to 4 channels."""

import struct
from importlib import import_module

from dvidpc.errors import FormatError
from dvidpc.formats.codec.chunk_shape import ChunkShape
from dvidpc.formats.codec.image_chunks import check_pixels, pixels_to_voxels
from dvidpc.formats.data_types import Voxels

_HEAD = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_COLOR_TYPES = {0: 1, 2: 3, 4: 2, 6: 4}
"""Number of channels by color type; palettes (3) are not supported."""


def decode_png(data: bytes, shape: ChunkShape) -> Voxels:
    """Return the voxels of a PNG."""
    imagecodecs = import_module("imagecodecs")  # here, because it takes 0.1 s and few volumes need it
    _check_header(data, shape)
    try:
        pixels = imagecodecs.png_decode(data)
    except (imagecodecs.PngError, ValueError) as error:
        raise FormatError(f"malformed PNG: {error}") from error
    return pixels_to_voxels(pixels, shape)


def _check_header(data: bytes, shape: ChunkShape) -> None:
    """Check the IHDR chunk against *shape* (PNG specification, 11.2.1)."""
    if not data.startswith(_HEAD) or len(data) < len(_HEAD) + 10:
        raise FormatError("malformed PNG: no PNG header")
    width, height, bits, color_type = struct.unpack_from(">IIBB", data, len(_HEAD))
    check_pixels("PNG", width, height, shape)
    if bits != shape.data_type.itemsize * 8 or _COLOR_TYPES.get(color_type) != shape.num_channels:
        raise FormatError(
            f"PNG has {bits} bits and color type {color_type}, but the volume has "
            f"{shape.num_channels} channel(s) of {shape.data_type}"
        )
