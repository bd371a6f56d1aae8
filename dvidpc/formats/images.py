"""Encodes planes of voxels as image files, with the same pixels as DVID.

A voxel of one or two bytes is a shade of gray; a voxel of three or four values is a color. The bytes of a
four-byte or eight-byte voxel become red, green, blue and alpha, lowest byte first, so that a lossless file
keeps the exact values.  (imageblk.go:701-765, 3400c2cb)

All functions are pure and may run in any thread. Encoding takes milliseconds, so not on the event loop.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import imagecodecs
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from dvidpc.errors import RequestError, TooLargeError
from dvidpc.formats.codec.jpeg import JPEG_MAX_SIDE, JPEG_QUALITY, jpeg_extent
from dvidpc.types import Point

Pixels = NDArray[Any]
"""An image: `[row, column]` gray, or red, green, blue and perhaps alpha; 8 or 16 bits per value."""

DEFAULT_JPEG_QUALITY: Final = JPEG_QUALITY
"""The quality of a JPEG whose request names none."""


class ImageKind(StrEnum):
    """An image file format."""

    PNG = "png"
    JPEG = "jpeg"
    TIFF = "tiff"
    BMP = "bmp"

    @property
    def media_type(self) -> str:
        """The `Content-Type` of its answers."""
        return f"image/{self.value}"


class ImageFormat(NamedTuple):
    """An image file format and its settings."""

    kind: ImageKind
    quality: int = DEFAULT_JPEG_QUALITY
    """JPEG quality, 1 to 100; ignored by other formats."""


_MAX_SIDE: Final[Mapping[ImageKind, int]] = MappingProxyType(
    {
        ImageKind.PNG: 1_000_000,
        ImageKind.JPEG: JPEG_MAX_SIDE,
        ImageKind.TIFF: 2**31 - 1,
        ImageKind.BMP: 2**31 - 1,
    }
)
"""Largest width and height in pixels; for PNG and JPEG the limit of libpng and libjpeg."""


def check_image_size(width: int, height: int, kind: ImageKind) -> None:
    """Check that a file format supports this image size.

    Raises:
        TooLargeError: The image is too wide or too high.
    """
    if max(width, height) > _MAX_SIDE[kind]:
        raise TooLargeError(f"{kind}: image is too large to encode: {width} x {height} pixels")


def check_image_holds(itemsize: int, kind: ImageKind) -> None:
    """Check that a file format can represent values of *itemsize* bytes, exactly or as shades of gray.

    Raises:
        RequestError: It cannot. JPEG would mix the bytes of a value, BMP would drop every second byte.
    """
    most = {ImageKind.JPEG: 2, ImageKind.BMP: 4}.get(kind, 8)
    if itemsize > most:
        raise RequestError(f"{kind}: cannot hold {itemsize} bytes per voxel; use png or tiff")


def stacked_extent(size: Point) -> tuple[int, int]:
    """Return `jpeg_extent` of a box, checked.

    Raises:
        TooLargeError: No JPEG can hold the box.
    """
    width, height = jpeg_extent(size)
    check_image_size(width, height, ImageKind.JPEG)
    return width, height


def pixels_of(plane_crc: NDArray[Any]) -> Pixels:
    """Return the pixels of a plane of voxels `[value, row, column]`; three values gain an alpha of 255.

    Signed voxels are reinterpreted as unsigned, since images have no signed pixels. (DVID has no signed
    voxels.)

    Raises:
        RequestError: DVID does not support images of such voxels.
    """
    values, rows, columns = plane_crc.shape
    dtype = plane_crc.dtype
    if values == 1 and dtype.itemsize <= 2:
        return np.ascontiguousarray(plane_crc[0]).view(f"<u{dtype.itemsize}")
    if values == 1:
        little = np.ascontiguousarray(plane_crc[0]).astype(dtype.newbyteorder("<"), copy=False)
        as_bytes = little.view(np.uint8).reshape(rows, columns, dtype.itemsize)
        return as_bytes if dtype.itemsize == 4 else _pairs(as_bytes)
    if values in (3, 4) and dtype.itemsize == 1:
        color = np.full((rows, columns, 4), 255, np.uint8)
        color[..., :values] = np.moveaxis(plane_crc, 0, -1)
        return color
    raise RequestError(
        f"DVID doesn't support images for {values} channels and {dtype.itemsize} bytes/channel"
    )


def encode_image(pixels: Pixels, image_format: ImageFormat) -> bytes:
    """Return an image file.

    Args:
        pixels: The image; must have passed `check_image_size` and `check_image_holds`.
        image_format: The file format and quality.
    """
    return _ENCODERS[image_format.kind](np.ascontiguousarray(pixels), image_format.quality)


def _pairs(as_bytes: Pixels) -> Pixels:
    """Reinterpret pairs of bytes as big-endian 16-bit numbers, as DVID does for any byte order."""
    return as_bytes.view(">u2").astype(np.uint16)


def _encode_png(pixels: Pixels, _quality: int) -> bytes:
    return bytes(imagecodecs.png_encode(pixels, level=_PNG_LEVEL))


_PNG_LEVEL = 3
"""Twice as fast as the default level; EM data become 3 % larger."""


def _encode_jpeg(pixels: Pixels, quality: int) -> bytes:
    if pixels.ndim == 2:
        gray = np.ascontiguousarray(_eight_bits(pixels))[..., None]
        return bytes(simplejpeg.encode_jpeg(gray, quality=quality, colorspace="GRAY"))
    colorspace = "RGBA" if pixels.shape[2] == 4 else "RGB"
    return bytes(
        simplejpeg.encode_jpeg(pixels, quality=quality, colorspace=colorspace, colorsubsampling="420")
    )


def _encode_tiff(pixels: Pixels, _quality: int) -> bytes:
    return bytes(imagecodecs.tiff_encode(pixels, compression=imagecodecs.TIFF.COMPRESSION.ADOBE_DEFLATE))


def _encode_bmp(pixels: Pixels, _quality: int) -> bytes:
    return bytes(imagecodecs.bmp_encode(np.ascontiguousarray(_eight_bits(pixels))))


def _eight_bits(pixels: Pixels) -> Pixels:
    """Return the upper byte of each number, as Go does for formats of 8 bits."""
    if pixels.dtype.itemsize == 1:
        return pixels
    return (pixels >> 8).astype(np.uint8)


_ENCODERS: Final[Mapping[ImageKind, Callable[[Pixels, int], bytes]]] = MappingProxyType(
    {
        ImageKind.PNG: _encode_png,
        ImageKind.JPEG: _encode_jpeg,
        ImageKind.TIFF: _encode_tiff,
        ImageKind.BMP: _encode_bmp,
    }
)
