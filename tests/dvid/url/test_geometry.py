"""Shapes, slices, boxes and image formats of paths; `test_raw.py` checks the error texts."""

import pytest

from dvidpc.dvid.url.geometry import (
    VOLUME,
    XY,
    XZ,
    YZ,
    Shape,
    Slice,
    check_slice,
    parse_box,
    parse_image_format,
    parse_shape,
    parse_slice,
)
from dvidpc.errors import RequestError
from dvidpc.formats.grid import Box
from dvidpc.formats.images import DEFAULT_JPEG_QUALITY, ImageFormat, ImageKind
from dvidpc.types import Point


@pytest.mark.parametrize(
    ("text", "shape"), [("xy", XY), ("XZ", XZ), ("1,2", YZ), ("0_1_2", VOLUME), ("vol", VOLUME)]
)
def test_a_shape_is_named_by_its_axes(text: str, shape: Shape) -> None:
    assert parse_shape(text) == shape


@pytest.mark.parametrize(
    ("shape", "stop"), [(XY, Point(11, 22, 4)), (XZ, Point(11, 3, 23)), (YZ, Point(2, 12, 23))]
)
def test_a_slice_is_a_box_one_voxel_thick(shape: Shape, stop: Point) -> None:
    plane = parse_slice(shape, "10_20", "1_2_3")
    assert plane == Slice(shape, Point(1, 2, 3), 10, 20)
    assert plane.box == Box(Point(1, 2, 3), stop)
    with pytest.raises(RequestError, match="Illegal geometry requested"):
        check_slice(Slice(shape, Point(1, 2, 3), 10, 0))


def test_a_box_has_a_size_and_an_offset() -> None:
    assert parse_box("1_2_3", "-10_0_5") == Box(Point(-10, 0, 5), Point(-9, 2, 8))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ImageFormat(ImageKind.PNG, DEFAULT_JPEG_QUALITY)),
        ("jpg:40", ImageFormat(ImageKind.JPEG, 40)),
        ("jpeg:0", ImageFormat(ImageKind.JPEG, 1)),
        ("jpg:1000", ImageFormat(ImageKind.JPEG, 100)),
        ("tiff", ImageFormat(ImageKind.TIFF, DEFAULT_JPEG_QUALITY)),
    ],
)
def test_an_image_format_has_a_quality_from_1_to_100(text: str, expected: ImageFormat) -> None:
    assert parse_image_format(text) == expected
