"""Pixels of planes of voxels, and image files of pixels."""

import imagecodecs
import numpy as np
import pytest

from dvidpc.errors import RequestError, TooLargeError
from dvidpc.formats.images import (
    ImageFormat,
    ImageKind,
    check_image_holds,
    check_image_size,
    encode_image,
    pixels_of,
    stacked_extent,
)
from dvidpc.types import Point

PNG = ImageFormat(ImageKind.PNG)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
def test_narrow_voxels_are_grey_bit_for_bit(dtype: str) -> None:
    limits = np.iinfo(dtype)
    plane = np.array([[[0, limits.max], [limits.min, 1]]], dtype)
    image = imagecodecs.png_decode(encode_image(pixels_of(plane), PNG))
    assert image.dtype == np.dtype(f"u{dtype.lstrip('u')}")
    assert image.tobytes() == plane.tobytes()


@pytest.mark.parametrize("dtype", ["<u4", "<i4", "<f4", "<u8", "<i8"])
def test_wide_voxels_are_pixels_of_their_bytes(dtype: str) -> None:
    plane = np.frombuffer(np.random.default_rng(0).bytes(6 * 8), dtype)[:6].reshape(1, 2, 3)
    image = imagecodecs.png_decode(encode_image(pixels_of(plane), PNG))
    assert image.shape == (2, 3, 4)
    assert (image if image.dtype == np.uint8 else image.astype(">u2")).tobytes() == plane.tobytes()


def test_planes_that_are_views_are_encoded_as_well() -> None:
    volume = np.arange(6 * 5 * 4, dtype=np.uint16).reshape(1, 6, 5, 4)
    for plane in (volume[:, :, 2], volume[:, :, :, 1], volume.swapaxes(1, 3)[:, 0]):
        assert (imagecodecs.png_decode(encode_image(pixels_of(plane), PNG)) == plane[0]).all()


@pytest.mark.parametrize(("values", "dtype"), [(2, "uint8"), (3, "uint16"), (5, "uint8")])
def test_voxels_without_an_image_are_refused(values: int, dtype: str) -> None:
    with pytest.raises(RequestError, match=f"images for {values} channels"):
        pixels_of(np.zeros((values, 2, 2), dtype))


def test_formats_know_what_they_cannot_hold() -> None:
    for kind, itemsize in ((ImageKind.JPEG, 4), (ImageKind.BMP, 8)):
        check_image_holds(itemsize // 2, kind)
        with pytest.raises(RequestError, match="cannot hold"):
            check_image_holds(itemsize, kind)
    check_image_holds(8, ImageKind.TIFF)
    for kind, side in ((ImageKind.JPEG, 65_500), (ImageKind.PNG, 1_000_000)):
        check_image_size(side, 1, kind)
        with pytest.raises(TooLargeError, match="too large to encode"):
            check_image_size(1, side + 1, kind)


def test_a_png_of_the_largest_side_can_be_written() -> None:
    pixels = np.ones((1, 1_000_000), np.uint8)
    assert imagecodecs.png_decode(encode_image(pixels, PNG)).shape == (1, 1_000_000)


@pytest.mark.parametrize(
    ("size", "extent"),
    [((64, 64, 64), (64, 4096)), ((256, 256, 256), (512, 32768)), ((3, 65_500, 1), (3, 65_500))],
)
def test_a_box_stands_in_a_jpeg_plane_below_plane(
    size: tuple[int, int, int], extent: tuple[int, int]
) -> None:
    assert stacked_extent(Point(*size)) == extent


def test_a_box_that_no_jpeg_holds_is_too_large() -> None:
    with pytest.raises(TooLargeError, match="jpeg: image is too large to encode"):
        stacked_extent(Point(8, 65_501, 1))
