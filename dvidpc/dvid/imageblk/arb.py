"""The endpoint `arb`: a slice at any angle, as an image."""

from typing import Final

from aiohttp import hdrs, web

from dvidpc.data.image import ImageData
from dvidpc.data.instance import Instance
from dvidpc.dvid.imageblk.drawing import check_image, draw, format_at, image_response
from dvidpc.dvid.imageblk.scale import at_scale
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.url.coordinates import parse_vector
from dvidpc.dvid.url.geometry import box_at
from dvidpc.dvid.url.numbers import parse_float
from dvidpc.dvid.url.path import call_parts
from dvidpc.errors import RequestError
from dvidpc.formats.oblique import plane_between
from dvidpc.types import Point
from dvidpc.volume.cutout import zeros
from dvidpc.volume.oblique_planes import read_oblique

_MAX_ITEMSIZE: Final = 2
"""Largest values that are interpolated, in bytes; DVID interpolates 8-bit values only."""


async def arb(request: web.Request, instance: Instance[ImageData]) -> web.StreamResponse:
    """Answer `arb/<top left>/<top right>/<bottom left>/<res>[/<format>]`; positions are in nanometers.

    (arb_image.go, 3400c2cb)
    """
    _, *parts = call_parts(request)
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
