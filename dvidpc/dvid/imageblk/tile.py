"""The endpoint `tile`: square images of the planes of a volume, for clients that show tiles."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from aiohttp import hdrs, web

from dvidpc.data.image import ImageData, coarser_instance
from dvidpc.data.instance import Instance
from dvidpc.dvid.imageblk.drawing import check_image, draw_slice, format_at, image_response
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.url.coordinates import parse_point
from dvidpc.dvid.url.geometry import Slice, check_slice, parse_shape
from dvidpc.dvid.url.numbers import SHOWN, parse_int32, parse_uint8
from dvidpc.dvid.url.path import call_parts
from dvidpc.errors import RequestError
from dvidpc.http.error_responses import plain_error
from dvidpc.types import Point
from dvidpc.volume.cutout import read_box

T = TypeVar("T")

_TILE_SIDE: Final = 512
"""Default side length of a tile in pixels.  (imagetile.go:595, googlevoxels.go:189, 3400c2cb)"""


async def tile(request: web.Request, instance: Instance[ImageData]) -> web.StreamResponse:
    """Answer `tile/<plane>/<scale>/<x_y_z>[/<format>][?tilesize=&noblanks=&format=]`.

    The two coordinates in the plane count tiles of that scale. The third coordinate counts voxels of
    *instance* at every scale, as in DVID's imagetile, whose pyramids do not shrink across the plane.
    (imagetile.go:1112-1165, googlevoxels.go:1218-1300, 3400c2cb)
    """
    _, *parts = call_parts(request)
    if len(parts) < 3:
        raise RequestError("'tile' request must be following by plane, scale level, and tile coordinate")
    levels = _parse_part("scale", parts[1], parse_uint8)
    scaled = coarser_instance(request.app[SERVICES].repo, instance, levels)
    plane = _at_scaled_depth(_parse_tile(request, parts[0], parts[2]), instance, scaled)
    image_format = format_at(parts, 3, request.query.get("format", ""))
    check_image(request, scaled, image_format, plane.width, plane.height)
    may_be_blank = request.query.get("noblanks") != "true"
    if request.method == hdrs.METH_HEAD and may_be_blank:
        return image_response(b"", image_format)
    voxels = await read_box(scaled.data.grid, plane.box)
    if voxels is None and not may_be_blank:
        return plain_error(404, "404 page not found\n")
    return await draw_slice(request, scaled, plane, voxels, image_format)


def _parse_tile(request: web.Request, plane: str, coordinate: str) -> Slice:
    shape = _parse_part("plane", plane, parse_shape)
    if not shape.is_plane:
        raise RequestError(f"Unknown tile orientation: {shape.name}")
    place = _parse_part("coordinate", coordinate, lambda text: parse_point(text, "Offset"))
    side = parse_int32(request.query.get("tilesize") or str(_TILE_SIDE), "Atoi")
    x, y, z = (n * side if axis in shape.axes else n for axis, n in enumerate(place))
    return check_slice(Slice(shape, Point(x, y, z), side, side))


def _at_scaled_depth(plane: Slice, base: Instance[ImageData], scaled: Instance[ImageData]) -> Slice:
    """Convert the coordinate across *plane* from voxels of *base* to voxels of *scaled*."""
    [axis] = {0, 1, 2}.difference(plane.shape.axes)
    offset = [*plane.offset]
    offset[axis] = math.floor(
        (offset[axis] + 0.5) * base.data.voxel_size[axis] / scaled.data.voxel_size[axis]
    )
    return replace(plane, offset=Point(*offset))


def _parse_part(what: str, text: str, parse: Callable[[str], T]) -> T:
    """Parse a part of the path; an error says that it is a part of a tile.

    Raises:
        RequestError: *parse* refuses the text.
    """
    try:
        return parse(text)
    except RequestError as error:
        raise RequestError(f"Illegal tile {what}: {text[:SHOWN]} ({error})") from error
