"""JPEG: as chunks are stored, and as payloads are written."""

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from dvidpc.errors import FormatError
from dvidpc.formats.codec.shape import ChunkShape, Voxels, check_pixels, pixels_to_voxels

JPEG_QUALITY = 80
"""What DVID re-encodes with (image.go:64, 3400c2cb)."""

_MAX_SIDE = 65_500
_END_OF_IMAGE = b"\xff\xd9"
_START_OF_SCAN = b"\xff\xda"
_PROGRESSIVE = b"\xff\xc2"
_MAX_SCANS = 100
"""A progressive JPEG has about ten; one of thousands costs a pass over all pixels for each."""
_COLORSPACES = {1: ("Gray",), 3: ("YCbCr", "RGB")}


def decode_jpeg(data: bytes, shape: ChunkShape) -> Voxels:
    """The voxels of a JPEG of one or three channels."""
    check_jpeg(data, shape)
    try:
        pixels: Voxels = simplejpeg.decode_jpeg(data, colorspace="GRAY" if shape.num_channels == 1 else "RGB")
    except (ValueError, KeyError) as error:  # KeyError: a chroma subsampling that simplejpeg has no name for
        raise FormatError(f"damaged JPEG: {error}") from error
    return pixels_to_voxels(pixels, shape)


def check_jpeg(data: bytes, shape: ChunkShape) -> None:
    """Make sure, from its header and end alone, that a JPEG holds a chunk of *shape*.

    Any width and height are right whose product is the number of voxels. A JPEG of 333 bytes may
    claim 65500 x 65500 pixels, so this comes before any decoding.

    Raises:
        FormatError: It does not, it is cut short, or it has an absurd number of scans.
    """
    try:
        height, width, colorspace, _ = simplejpeg.decode_jpeg_header(data)
    except (ValueError, KeyError) as error:  # KeyError: a chroma subsampling that simplejpeg has no name for
        raise FormatError(f"damaged JPEG: {error}") from error
    check_pixels("JPEG", int(width), int(height), shape)
    if colorspace not in _COLORSPACES[shape.num_channels]:
        raise FormatError(f"JPEG is {colorspace}, but the volume has {shape.num_channels} channel(s)")
    _check_scans(data)
    if _END_OF_IMAGE not in data[-64:]:
        raise FormatError("JPEG is cut short: no end-of-image marker")


def _check_scans(data: bytes) -> None:
    """Refuse a progressive JPEG of very many scans; of any other kind, decoders stop after the first."""
    header = data[: data.find(_START_OF_SCAN)]
    if _PROGRESSIVE in header:
        scans = data.count(_START_OF_SCAN)  # in compressed data, 0xff is followed by other bytes
        if scans > _MAX_SCANS:
            raise FormatError(f"JPEG has {scans} scans, more than {_MAX_SCANS}")


def encode_jpeg(block_zyx: NDArray[np.uint8]) -> bytes:
    """A baseline grayscale JPEG of a block: rows as in memory, width x, height y times z.

    Blocks whose y times z exceed what a JPEG allows become wider instead; clients take any
    width whose product with the height is right.
    """
    depth, height, width = block_zyx.shape
    rows = depth * height
    while rows > _MAX_SIDE and rows % 2 == 0:
        rows //= 2
        width *= 2
    return bytes(
        simplejpeg.encode_jpeg(
            np.ascontiguousarray(block_zyx).reshape(rows, width, 1), quality=JPEG_QUALITY, colorspace="GRAY"
        )
    )
