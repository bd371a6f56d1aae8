"""Parse shapes, slices, boxes and image formats in paths.

(geometry.go, point.go and image.go, 3400c2cb)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from dvidpc.dvid.url.coordinates import parse_point
from dvidpc.dvid.url.numbers import SHOWN, parse_int32
from dvidpc.errors import RequestError
from dvidpc.formats.grid import Box
from dvidpc.formats.images import DEFAULT_JPEG_QUALITY, ImageFormat, ImageKind
from dvidpc.types import Point


class Shape(NamedTuple):
    """The axes that a slice or box extends along."""

    name: str
    axes: tuple[int, ...]

    @property
    def is_plane(self) -> bool:
        """Whether this is a slice, not a box."""
        return len(self.axes) == 2


REFUSAL: Final = "Illegal geometry requested"
"""How the refusal of an empty slice or box begins."""

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
    """A rectangle of voxels, perpendicular to one axis."""

    shape: Shape
    offset: Point
    width: int
    height: int

    @property
    def box(self) -> Box:
        """The slice as a box that is one voxel thick."""
        size = [1, 1, 1]
        size[self.shape.axes[0]], size[self.shape.axes[1]] = self.width, self.height
        return box_at(self.offset, Point(*size))


def box_at(offset: Point, size: Point) -> Box:
    """Return the box of *size* that starts at *offset*."""
    (x, y, z), (width, height, depth) = offset, size
    return Box(offset, Point(x + width, y + height, z + depth))


def parse_shape(text: str) -> Shape:
    """Parse a shape: `xy`, `0_1_2`, ...

    Raises:
        RequestError: *text* does not name a shape of two or three axes in ascending order.
    """
    if text.lower() == "arb":
        raise RequestError("DVID currently supports shapes of only 2 and 3 dimensions")
    shape = _SHAPES.get(text.lower())
    if shape is None:
        raise RequestError(f"Unknown data shape specification ({text[:SHOWN]})")
    return shape


def parse_slice(shape: Shape, size: str, offset: str, refusal: str = REFUSAL) -> Slice:
    """Parse a slice from its size (two integers) and its offset (three integers).

    Args:
        shape: Its axes.
        size: Its width and height.
        offset: Its first voxel.
        refusal: How the refusal of an empty slice begins.

    Raises:
        RequestError: A text is malformed, or the slice is empty.
    """
    place = parse_point(offset, "Offset")
    parts = size.split("_")
    if len(parts) != 2:
        raise RequestError("cannot parse into a 2d point")
    width, height = (parse_int32(part.strip(), "ParseInt") for part in parts)
    return check_slice(Slice(shape, place, width, height), refusal)


def check_slice(plane: Slice, refusal: str = REFUSAL) -> Slice:
    """Return *plane* unchanged, if it is not empty.

    Raises:
        RequestError: It is empty.
    """
    if plane.width <= 0 or plane.height <= 0:
        raise RequestError(
            f"{refusal}: {plane.shape.name} @ offset {_shown(plane.offset)}, "
            f"size ({plane.width}, {plane.height})"
        )
    return plane


def parse_box(size: str, offset: str, refusal: str = REFUSAL) -> Box:
    """Parse a box from its size and its offset (three integers each).

    Args:
        size: Its size.
        offset: Its first voxel.
        refusal: How the refusal of an empty box begins.

    Raises:
        RequestError: A text is malformed, or the box is empty.
    """
    place = parse_point(offset, "Offset")
    extent = _parse_size(size)
    if min(extent) <= 0:
        raise RequestError(f"{refusal}: {VOLUME.name} {_shown(extent)} at offset {_shown(place)}")
    return box_at(place, extent)


@lru_cache(256)
def _parse_size(text: str) -> Point:
    """Parse the size of a box: clients ask for boxes of few sizes."""
    return parse_point(text, "Size")


def parse_image_format(text: str) -> ImageFormat:
    """Parse an image format: `png`, `jpg:80`, ...; PNG if *text* is empty.

    Raises:
        RequestError: The format is unknown, or its quality is not an integer.
    """
    name, *more = text.split(":")
    quality = parse_int32(more[0], "Atoi") if more else DEFAULT_JPEG_QUALITY
    kind = _KINDS.get(name)
    if kind is None:
        raise RequestError(f"Illegal image format requested: {name[:SHOWN]}")
    return ImageFormat(kind, max(1, min(quality, 100)))


def _shown(point: Point) -> str:
    return "({},{},{})".format(*point)
