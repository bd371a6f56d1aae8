"""The endpoints that make images of other planes: `arb` at any angle, `tile` for clients that show tiles."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from aiohttp import hdrs, web

from dvidpc.data.image import ImageData, coarser_instance
from dvidpc.data.instance import Instance
from dvidpc.dvid.geometry import (
    Slice,
    box_at,
    check_slice,
    parse_float,
    parse_shape,
    parse_uint8,
    parse_vector,
)
from dvidpc.dvid.imageblk.drawing import check_image, draw, draw_slice, format_at, image_response, path_of
from dvidpc.dvid.imageblk.scale import at_scale
from dvidpc.dvid.query import parse_int32, parse_point
from dvidpc.dvid.services import SERVICES
from dvidpc.errors import RequestError
from dvidpc.formats.oblique import plane_between
from dvidpc.http.error_responses import plain_error
from dvidpc.types import Point
from dvidpc.volume.cutout import read_box, zeros
from dvidpc.volume.oblique_planes import read_oblique

T = TypeVar("T")

_TILE_SIDE = 512
"""Pixels along each edge of a tile.  (imagetile.go:595, googlevoxels.go:189, 3400c2cb)"""

_MAX_ITEMSIZE = 2
"""Bytes of a value up to which `arb` interpolates; DVID does one."""


async def arb(request: web.Request, instance: Instance[ImageData]) -> web.StreamResponse:
    """`arb/<top left>/<top right>/<bottom left>/<res>[/<format>]`: a slice at any angle, in nanometers.

    (arb_image.go, 3400c2cb)
    """
    _, *parts = path_of(request)
    if len(parts) < 4:
        raise RequestError('"arb" must be followed by top-left/top-right/bottom-left/res')
    instance = at_scale(request, instance)
    shape = instance.data.grid.chunk_shape
    if shape.data_type.itemsize > _MAX_ITEMSIZE:
        raise RequestError(
            "DVID cannot retrieve images with arbitrary orientation using "
            f"{shape.num_channels} channels and {shape.data_type.itemsize} bytes/channel"
        )
    top_left, top_right, bottom_left = (parse_vector(text) for text in parts[:3])
    plane = plane_between(top_left, top_right, bottom_left, parse_float(parts[3]))
    image_format = format_at(parts, 4)
    check_image(request, instance, image_format, plane.width, plane.height)
    if request.method == hdrs.METH_HEAD:
        return image_response(b"", image_format)
    max_chunks = request.app[SERVICES].limits.max_blocks
    image = await read_oblique(instance.data.grid, plane, instance.data.voxel_size, max_chunks)
    if image is None:
        image = zeros(instance.data.grid, box_at(Point(0, 0, 0), Point(plane.width, plane.height, 1)))[:, 0]
    return await draw(request, instance, image, image_format)


async def tile(request: web.Request, instance: Instance[ImageData]) -> web.StreamResponse:
    """`tile/<plane>/<scale>/<x_y_z>[/<format>][?tilesize=&noblanks=&format=]`.

    The two coordinates in the plane count tiles of that scale. The third counts voxels of the instance
    asked, whatever the scale, as in DVID's imagetile, whose pyramids do not shrink across the plane.
    (imagetile.go:1112-1165, googlevoxels.go:1218-1300, 3400c2cb)
    """
    _, *parts = path_of(request)
    if len(parts) < 3:
        raise RequestError("'tile' request must be following by plane, scale level, and tile coordinate")
    levels = _of_tile("scale", parts[1], parse_uint8)
    scaled = coarser_instance(request.app[SERVICES].repo, instance, levels)
    plane = _across(_parse_tile(request, parts[0], parts[2]), instance, scaled)
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
    shape = _of_tile("plane", plane, parse_shape)
    if not shape.is_plane:
        raise RequestError(f"Unknown tile orientation: {shape.name}")
    place = _of_tile("coordinate", coordinate, lambda text: parse_point(text, "Offset"))
    side = parse_int32(request.query.get("tilesize") or str(_TILE_SIDE), "Atoi")
    x, y, z = (n * side if axis in shape.axes else n for axis, n in enumerate(place))
    return check_slice(Slice(shape, Point(x, y, z), side, side))


def _across(plane: Slice, base: Instance[ImageData], scaled: Instance[ImageData]) -> Slice:
    """*plane* of *scaled* where it passes through the voxels of *base* that its place across counts."""
    [axis] = {0, 1, 2}.difference(plane.shape.axes)
    offset = [*plane.offset]
    offset[axis] = math.floor(
        (offset[axis] + 0.5) * base.data.voxel_size[axis] / scaled.data.voxel_size[axis]
    )
    return replace(plane, offset=Point(*offset))


def _of_tile(what: str, text: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(text)
    except RequestError as error:
        raise RequestError(f"Illegal tile {what}: {text[:40]} ({error})") from error
