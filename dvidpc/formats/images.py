"""Planes of voxels as image files, with the pixels DVID gives them.

A voxel of one byte or two is a shade of grey, of four values a color. Voxels of four and eight bytes
become pixels whose red, green, blue and alpha are the bytes of the value, lowest first, so that a
lossless file holds the very values.  (imageblk.go:701-765, 3400c2cb)

All functions here are pure and may run in any thread; encoding takes milliseconds.
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
from dvidpc.types import Point

Pixels = NDArray[Any]
"""Of an image: `[row, column]` grey, or `[row, column, 4]` red, green, blue, alpha; 8 or 16 bits each."""

DEFAULT_JPEG_QUALITY: Final = 80
"""What DVID uses where nothing was asked for.  (image.go:64, 3400c2cb)"""


class ImageKind(StrEnum):
    """A file format of images."""

    PNG = "png"
    JPEG = "jpeg"
    TIFF = "tiff"
    BMP = "bmp"

    @property
    def media_type(self) -> str:
        """What answers call it."""
        return f"image/{self.value}"


class ImageFormat(NamedTuple):
    """How an image is written."""

    kind: ImageKind
    quality: int = DEFAULT_JPEG_QUALITY
    """Of a JPEG, 1 to 100."""


_MAX_SIDE: Final[Mapping[ImageKind, int]] = MappingProxyType(
    {ImageKind.PNG: 1_000_000, ImageKind.JPEG: 65_500, ImageKind.TIFF: 2**31 - 1, ImageKind.BMP: 2**31 - 1}
)
"""Pixels along an edge: of PNG what libpng writes, of JPEG what libjpeg does (65,535 in DVID)."""


def check_image_size(width: int, height: int, kind: ImageKind) -> None:
    """Make sure that a file format can hold so many pixels.

    Raises:
        TooLargeError: It cannot.
    """
    if max(width, height) > _MAX_SIDE[kind]:
        raise TooLargeError(f"{kind}: image is too large to encode: {width} x {height} pixels")


def check_image_holds(itemsize: int, kind: ImageKind) -> None:
    """Make sure that a file format keeps values of *itemsize* bytes as they are, or as shades of grey.

    Raises:
        RequestError: It does not: JPEG would mix the bytes of a value, BMP drop every other.
    """
    most = {ImageKind.JPEG: 2, ImageKind.BMP: 4}.get(kind, 8)
    if itemsize > most:
        raise RequestError(f"{kind}: cannot hold {itemsize} bytes a voxel; png and tiff can")


def stacked_extent(size: Point) -> tuple[int, int]:
    """Width and height of the JPEG that holds a box, its planes one below the other.

    Where that gets too high, rows stand side by side; clients take any width and height whose product is
    right.

    Raises:
        TooLargeError: No JPEG holds so many pixels.
    """
    width, height = size.x, size.y * size.z
    while height > _MAX_SIDE[ImageKind.JPEG] and height % 2 == 0:
        width, height = width * 2, height // 2
    check_image_size(width, height, ImageKind.JPEG)
    return width, height


def pixels_of(plane_crc: NDArray[Any]) -> Pixels:
    """The pixels of a plane of voxels `[value, row, column]`; three values gain an alpha of 255.

    Signed voxels are taken as unsigned ones, bit for bit: no image has a sign, and DVID no such type.

    Raises:
        RequestError: DVID has no image for such voxels.
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
    """An image file.

    Args:
        pixels: What it shows; `check_image_size` and `check_image_holds` have nothing against it.
        image_format: What it is written as.
    """
    return _ENCODERS[image_format.kind](np.ascontiguousarray(pixels), image_format.quality)


def _pairs(as_bytes: Pixels) -> Pixels:
    """Bytes taken as numbers of 16 bits, the high one first, as DVID does whatever the voxels' order is."""
    return as_bytes.view(">u2").astype(np.uint16)


def _encode_png(pixels: Pixels, _quality: int) -> bytes:
    return bytes(imagecodecs.png_encode(pixels, level=_PNG_LEVEL))


_PNG_LEVEL = 3
"""A level where deflate is twice as fast as by default; EM data get 3 % larger."""


def _encode_jpeg(pixels: Pixels, quality: int) -> bytes:
    if pixels.ndim == 2:
        grey = np.ascontiguousarray(_eight_bits(pixels))[..., None]
        return bytes(simplejpeg.encode_jpeg(grey, quality=quality, colorspace="GRAY"))
    return bytes(simplejpeg.encode_jpeg(pixels, quality=quality, colorspace="RGBA", colorsubsampling="420"))


def _encode_tiff(pixels: Pixels, _quality: int) -> bytes:
    return bytes(imagecodecs.tiff_encode(pixels, compression=imagecodecs.TIFF.COMPRESSION.ADOBE_DEFLATE))


def _encode_bmp(pixels: Pixels, _quality: int) -> bytes:
    return bytes(imagecodecs.bmp_encode(np.ascontiguousarray(_eight_bits(pixels))))


def _eight_bits(pixels: Pixels) -> Pixels:
    """The upper byte of each number, which is what Go leaves of 16 bits where a format has but 8."""
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
