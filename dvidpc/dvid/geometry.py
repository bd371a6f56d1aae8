"""What a path says about shape, size, place and image format, and DVID's words where it makes no sense.

(geometry.go, point.go and image.go, 3400c2cb)
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from dvidpc.dvid.query import parse_int32, parse_point
from dvidpc.errors import RequestError
from dvidpc.formats.grid import Box
from dvidpc.formats.images import DEFAULT_JPEG_QUALITY, ImageFormat, ImageKind
from dvidpc.formats.oblique import Vector
from dvidpc.types import Point

_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
_SHOWN = 40


class Shape(NamedTuple):
    """Which axes something extends along."""

    name: str
    axes: tuple[int, ...]

    @property
    def is_plane(self) -> bool:
        """Whether it is a slice, not a box."""
        return len(self.axes) == 2


XY: Final = Shape("XY slice", (0, 1))
XZ: Final = Shape("XZ slice", (0, 2))
YZ: Final = Shape("YZ slice", (1, 2))
VOLUME: Final = Shape("3d volume", (0, 1, 2))

_SHAPES: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "xy": XY,
        "xz": XZ,
        "yz": YZ,
        "vol": VOLUME,
        **{sep.join(map(str, shape.axes)): shape for sep in "_," for shape in (XY, XZ, YZ, VOLUME)},
    }
)

_KINDS: Final[Mapping[str, ImageKind]] = MappingProxyType(
    {
        "": ImageKind.PNG,
        "png": ImageKind.PNG,
        "jpg": ImageKind.JPEG,
        "jpeg": ImageKind.JPEG,
        "tif": ImageKind.TIFF,
        "tiff": ImageKind.TIFF,
        "bmp": ImageKind.BMP,
    }
)


@dataclass(frozen=True, slots=True)
class Slice:
    """A rectangle of voxels across one axis."""

    shape: Shape
    offset: Point
    width: int
    height: int

    @property
    def box(self) -> Box:
        """The same as a box, one voxel thick."""
        size = [1, 1, 1]
        size[self.shape.axes[0]], size[self.shape.axes[1]] = self.width, self.height
        return box_at(self.offset, Point(*size))


def box_at(offset: Point, size: Point) -> Box:
    """The box of *size* that starts at *offset*."""
    return Box(offset, Point(*(o + s for o, s in zip(offset, size, strict=True))))


def parse_shape(text: str) -> Shape:
    """`xy`, `0_1_2`, ...

    Raises:
        RequestError: There is no such shape, or it is none of two or three axes in order.
    """
    if text.lower() == "arb":
        raise RequestError("DVID currently supports shapes of only 2 and 3 dimensions")
    shape = _SHAPES.get(text.lower())
    if shape is None:
        raise RequestError(f"Unknown data shape specification ({text[:_SHOWN]})")
    return shape


def parse_slice(shape: Shape, size: str, offset: str) -> Slice:
    """A slice by its size, two numbers, and its offset, three.

    Raises:
        RequestError: They are not, or the slice is empty.
    """
    place = parse_point(offset, "Offset")
    parts = size.split("_")
    if len(parts) != 2:
        raise RequestError("cannot parse into a 2d point")
    width, height = (parse_int32(part.strip(), "ParseInt") for part in parts)
    return check_slice(Slice(shape, place, width, height))


def check_slice(plane: Slice) -> Slice:
    """*plane*, which must not be empty.

    Raises:
        RequestError: It is.
    """
    if plane.width <= 0 or plane.height <= 0:
        raise RequestError(
            f"Illegal geometry requested: {plane.shape.name} @ offset {_shown(plane.offset)}, "
            f"size ({plane.width}, {plane.height})"
        )
    return plane


def parse_box(size: str, offset: str) -> Box:
    """A box by its size and offset, three numbers each.

    Raises:
        RequestError: They are not, or the box is empty.
    """
    place = parse_point(offset, "Offset")
    extent = parse_point(size, "Size")
    if min(extent) <= 0:
        raise RequestError(
            f"Illegal geometry requested: {VOLUME.name} {_shown(extent)} at offset {_shown(place)}"
        )
    return box_at(place, extent)


def parse_image_format(text: str) -> ImageFormat:
    """`png`, `jpg:80`, ...; PNG where it is empty.

    Raises:
        RequestError: There is no such format, or its quality is no integer.
    """
    name, *more = text.split(":")
    quality = parse_int32(more[0], "Atoi") if more else DEFAULT_JPEG_QUALITY
    kind = _KINDS.get(name)
    if kind is None:
        raise RequestError(f"Illegal image format requested: {name[:_SHOWN]}")
    return ImageFormat(kind, max(1, min(quality, 100)))


def parse_vector(text: str) -> Vector:
    """A place in nanometers, `x_y_z`.

    Raises:
        RequestError: It is not made of three finite numbers.
    """
    parts = text.split("_")
    if len(parts) != 3:
        raise RequestError(f"can't convert string '{text[:_SHOWN]}' (length {len(parts)}) to Vector3d")
    x, y, z = (parse_float(part.strip()) for part in parts)
    return x, y, z


def parse_float(text: str) -> float:
    """A number in decimal.

    Raises:
        RequestError: It is none, or not finite.
    """
    if not _FLOAT.fullmatch(text) or len(text) > 400:
        raise RequestError(f'strconv.ParseFloat: parsing "{text[:_SHOWN]}": invalid syntax')
    number = float(text)
    if not math.isfinite(number):
        raise RequestError(f'strconv.ParseFloat: parsing "{text[:_SHOWN]}": value out of range')
    return number


def parse_uint8(text: str) -> int:
    """An unsigned integer of 8 bits, as Go's `strconv.ParseUint` reads it.

    Raises:
        RequestError: It is none, or does not fit.
    """
    if not re.fullmatch(r"[0-9]+", text, re.ASCII):
        raise RequestError(f'strconv.ParseUint: parsing "{text[:_SHOWN]}": invalid syntax')
    if len(text) > _SHOWN or int(text) > 255:
        raise RequestError(f'strconv.ParseUint: parsing "{text[:_SHOWN]}": value out of range')
    return int(text)


def _shown(point: Point) -> str:
    return "({},{},{})".format(*point)
