"""JPEG: decodes stored chunks and encodes payloads."""

import re

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from dvidpc.errors import FormatError
from dvidpc.formats.codec.chunk_shape import ChunkShape
from dvidpc.formats.codec.image_chunks import check_pixels, pixels_to_voxels
from dvidpc.formats.data_types import Voxels
from dvidpc.types import Point

JPEG_QUALITY = 80
"""DVID's default quality.  (image.go:64, 3400c2cb)"""

JPEG_MAX_SIDE = 65_500
"""Largest width and height that libjpeg encodes; DVID's limit is 65,535."""

_START_OF_IMAGE = b"\xff\xd8"
_END_OF_IMAGE = b"\xff\xd9"
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
"""A marker with a length, or the end of the image; in compressed data, 0x00 follows each 0xff."""
_START_OF_SCAN = b"\xff\xda"
_PROGRESSIVE = b"\xff\xc2"
_MAX_SCANS = 100
"""A progressive JPEG has about ten scans. Each one costs a pass over all pixels."""
_COLORSPACES = {1: ("Gray",), 3: ("YCbCr", "RGB")}


def decode_jpeg(data: bytes, shape: ChunkShape) -> Voxels:
    """Return the voxels of a JPEG of one or three channels."""
    check_jpeg(data, shape)
    try:
        pixels: Voxels = simplejpeg.decode_jpeg(data, colorspace="GRAY" if shape.num_channels == 1 else "RGB")
    except (ValueError, KeyError) as error:  # KeyError: a chroma subsampling that simplejpeg does not know
        raise FormatError(f"malformed JPEG: {error}") from error
    return pixels_to_voxels(pixels, shape)


def check_jpeg(data: bytes, shape: ChunkShape) -> None:
    """Check the header and the end of a JPEG against *shape*, without decoding it.

    Any width and height whose product is the number of voxels are valid. Call this before decoding:
    a JPEG of 333 bytes may claim 65500 x 65500 pixels.

    Raises:
        FormatError: The JPEG does not hold a chunk of *shape*, is truncated or has too many scans.
    """
    try:
        height, width, colorspace, _ = simplejpeg.decode_jpeg_header(data)
    except (ValueError, KeyError) as error:  # KeyError: a chroma subsampling that simplejpeg does not know
        raise FormatError(f"malformed JPEG: {error}") from error
    check_pixels("JPEG", int(width), int(height), shape)
    if colorspace not in _COLORSPACES[shape.num_channels]:
        raise FormatError(f"JPEG is {colorspace}, but the volume has {shape.num_channels} channel(s)")
    _check_scans(data)
    if not data.endswith(_END_OF_IMAGE) and not _has_end(data):
        raise FormatError("truncated JPEG: no end-of-image marker")


def _has_end(data: bytes) -> bool:
    """Return whether the image ends in *data*; other bytes may follow, such as padding to a whole sector.

    The markers are followed from the first on, because metadata may hold a thumbnail with an end of its own.
    (ISO/IEC 10918-1, B.1.1)
    """
    at = len(_START_OF_IMAGE)
    while (marker := _MARKER.search(data, at)) is not None:
        if marker.group() == _END_OF_IMAGE:
            return True
        at = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2], "big")
    return False


def _check_scans(data: bytes) -> None:
    """Reject a progressive JPEG of too many scans; decoders of other JPEGs stop after the first scan."""
    header = data[: data.find(_START_OF_SCAN)]
    if _PROGRESSIVE in header:
        scans = data.count(_START_OF_SCAN)  # 0xff in compressed data is followed by 0x00, never by 0xda
        if scans > _MAX_SCANS:
            raise FormatError(f"JPEG has {scans} scans; the limit is {_MAX_SCANS}")


def jpeg_extent(size: Point) -> tuple[int, int]:
    """Return width and height of the image that holds a box, its planes stacked vertically.

    An image that would be too tall holds several rows side by side instead. Clients accept any width and
    height with the right product. The result may still exceed `JPEG_MAX_SIDE`.
    """
    width, height = size.x, size.y * size.z
    while height > JPEG_MAX_SIDE and height % 2 == 0:
        width, height = width * 2, height // 2
    return width, height


def encode_jpeg(block_zyx: NDArray[np.uint8]) -> bytes:
    """Return a block as a baseline grayscale JPEG with the extent of `jpeg_extent`."""
    depth, rows, columns = block_zyx.shape
    width, height = jpeg_extent(Point(columns, rows, depth))
    pixels = np.ascontiguousarray(block_zyx).reshape(height, width, 1)
    return bytes(simplejpeg.encode_jpeg(pixels, quality=JPEG_QUALITY, colorspace="GRAY"))
