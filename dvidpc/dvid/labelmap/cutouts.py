"""The endpoints `raw`, `isotropic` and `pseudocolor` of labels."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from aiohttp import hdrs, web

from dvidpc.data.image import ImageData
from dvidpc.data.instance import Instance
from dvidpc.dvid.imageblk.drawing import (
    box_nbytes,
    check_cutout,
    format_at,
    image_response,
    in_thread,
)
from dvidpc.dvid.imageblk.raw import answer_slice, refuse_roi
from dvidpc.dvid.limits import check_size
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.url.geometry import parse_box, parse_shape, parse_slice
from dvidpc.dvid.url.numbers import SHOWN
from dvidpc.dvid.url.path import call_parts
from dvidpc.errors import RequestError
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.dvid.go_json import quote
from dvidpc.formats.dvid.google_labels import encode_solid_google
from dvidpc.formats.dvid.label_payloads import GOOGLEGZIP, RAW_ENCODERS, compress_gzip
from dvidpc.formats.dvid.pseudocolor import color_labels
from dvidpc.formats.grid import Box
from dvidpc.formats.images import ImageFormat, check_image_size, encode_image
from dvidpc.http.streaming import OCTETS, send, stream
from dvidpc.types import BlockCoord
from dvidpc.volume.cutout import read_box, stream_box, zeros

_AS_IS: Final[Mapping[str, str]] = MappingProxyType({})
_GZIPPED: Final[Mapping[str, str]] = MappingProxyType({hdrs.CONTENT_ENCODING: "gzip"})

_REFUSAL: Final = "illegal geometry requested"


async def raw(request: web.Request, instance: Instance[ImageData]) -> web.StreamResponse:
    """Answer `raw/<dims>/<size>/<offset>[/<format>][?compression=]`: a slice as PNG, or the labels of a box.

    Unlike DVID, we answer with zeros for a block that is not stored, and pad `google` to whole sub-blocks.
    (labelmap/handlers.go, compression.go:213-270, 3400c2cb)
    """
    parts = _parts_of(request)
    shape = parse_shape(parts[0])
    if shape.is_plane:
        return await answer_slice(request, instance, shape, parts, is_isotropic=False, refusal=_REFUSAL)
    compression = request.query.get("compression", "")
    if compression not in RAW_ENCODERS:
        raise RequestError(f"unknown compression type {quote(compression[:SHOWN])}")
    box = parse_box(parts[1], parts[2], _REFUSAL)
    check_cutout(request, instance, box)
    if not compression:
        return await stream(request, stream_box(instance.data.grid, box), box_nbytes(instance, box))
    headers = _GZIPPED if compression == GOOGLEGZIP.name else _AS_IS
    if request.method == hdrs.METH_HEAD:
        return web.Response(content_type=OCTETS, headers=headers)
    body = await _encode_box(request, instance, box, compression)
    return await send(request, [body], headers)


async def isotropic(request: web.Request, instance: Instance[ImageData]) -> web.StreamResponse:
    """Answer `isotropic/<dims>/<size>/<offset>[/<format>]`: a slice with square pixels."""
    parts = _parts_of(request)
    shape = parse_shape(parts[0])
    if shape.is_plane:
        return await answer_slice(request, instance, shape, parts, is_isotropic=True, refusal=_REFUSAL)
    return await raw(request, instance)


async def pseudocolor(request: web.Request, instance: Instance[ImageData]) -> web.StreamResponse:
    """Answer `pseudocolor/<dims>/<size>/<offset>[/<format>]`: a slice with a colour for each label.

    (labelmap.go:3220-3296, 3400c2cb)
    """
    parts = _parts_of(request)
    shape = parse_shape(parts[0])
    if not shape.is_plane:
        raise RequestError("DVID currently supports only 2d pseudocolor image requests")
    plane = parse_slice(shape, parts[1], parts[2], _REFUSAL)
    check_cutout(request, instance, plane.box)
    image_format = format_at(parts, 3)
    check_image_size(plane.width, plane.height, image_format.kind)
    check_size(box_nbytes(instance, plane.box), request.app[SERVICES].limits.max_response)
    if request.method == hdrs.METH_HEAD:
        return image_response(b"", image_format)
    grid = instance.data.grid
    labels = await read_box(grid, plane.box)
    if labels is None:
        labels = zeros(grid, plane.box)
    plane_rc = labels.reshape(plane.height, plane.width)
    step = partial(_encode_colors, plane_rc, image_format)
    return image_response(await in_thread(request, instance, plane_rc.nbytes, step), image_format)


def _encode_colors(plane_rc: Voxels, image_format: ImageFormat) -> bytes:
    return encode_image(color_labels(plane_rc), image_format)


def _parts_of(request: web.Request) -> list[str]:
    endpoint, *parts = call_parts(request)
    if len(parts) < 3:
        raise RequestError(f"'{endpoint}' must be followed by shape/size/offset")
    refuse_roi(request)
    return parts


async def _encode_box(
    request: web.Request, instance: Instance[ImageData], box: Box, compression: str
) -> bytes:
    grid = instance.data.grid
    block = _block_that_is(box, grid.block_size.x) if compression == GOOGLEGZIP.name else None
    if block is not None:
        payload = await grid.fetch(block, GOOGLEGZIP)
        return compress_gzip(encode_solid_google(box.size, 0)) if payload is None else payload
    nbytes = box_nbytes(instance, box)
    check_size(nbytes, request.app[SERVICES].limits.max_response)
    voxels = await read_box(grid, box)
    if voxels is None:
        voxels = zeros(grid, box)
    return await in_thread(request, instance, nbytes, partial(RAW_ENCODERS[compression], voxels[0]))


def _block_that_is(box: Box, side: int) -> BlockCoord | None:
    """Return the block that consists of the voxels of *box*; None if there is none."""
    x, y, z = box.start
    if x % side or y % side or z % side or box.stop != (x + side, y + side, z + side):
        return None
    return BlockCoord(x // side, y // side, z // side)
