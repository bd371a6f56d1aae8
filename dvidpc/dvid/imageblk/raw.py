"""The endpoints `raw` and `isotropic`: boxes of voxels, and slices along the axes as images.

DVID answers these for its own data, and refuses them for precomputed volumes.
"""

from aiohttp import hdrs, web

from dvidpc.data.image import ImageData
from dvidpc.data.instance import Instance
from dvidpc.dvid.imageblk.drawing import (
    box_nbytes,
    check_cutout,
    check_image,
    draw,
    draw_slice,
    format_at,
    image_response,
)
from dvidpc.dvid.imageblk.scale import at_scale
from dvidpc.dvid.url.geometry import REFUSAL, Shape, Slice, check_slice, parse_box, parse_shape, parse_slice
from dvidpc.dvid.url.numbers import parse_int32
from dvidpc.dvid.url.path import call_parts
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import quote
from dvidpc.formats.dvid.scaling import isotropic_extent
from dvidpc.formats.grid import Box
from dvidpc.formats.images import ImageFormat, ImageKind, stacked_extent
from dvidpc.http.streaming import stream
from dvidpc.volume.cutout import read_box, stream_box, zeros


async def raw(request: web.Request, instance: Instance[ImageData]) -> web.StreamResponse:
    """Answer `raw/<dims>/<size>/<offset>[/<format>]`: a slice as an image, or the voxels of a box.

    (imageblk.go:2510-2650, 3400c2cb)
    """
    return await _cut_out(request, instance, is_isotropic=False)


async def isotropic(request: web.Request, instance: Instance[ImageData]) -> web.StreamResponse:
    """Answer `isotropic/<dims>/<size>/<offset>[/<format>]`: like `raw`, but with square pixels."""
    return await _cut_out(request, instance, is_isotropic=True)


async def _cut_out(
    request: web.Request, instance: Instance[ImageData], *, is_isotropic: bool
) -> web.StreamResponse:
    endpoint, *parts = call_parts(request)
    if len(parts) < 3:
        raise RequestError(f"{quote(endpoint)} must be followed by shape/size/offset")
    refuse_roi(request)
    instance = at_scale(request, instance)
    shape = parse_shape(parts[0])
    if shape.is_plane:
        return await answer_slice(request, instance, shape, parts, is_isotropic=is_isotropic)
    box = parse_box(parts[1], parts[2])
    check_cutout(request, instance, box)
    if parts[3:4] in (["jpg"], ["jpeg"]):
        return await _stack(request, instance, box)
    return await stream(request, stream_box(instance.data.grid, box), box_nbytes(instance, box))


async def answer_slice(
    request: web.Request,
    instance: Instance[ImageData],
    shape: Shape,
    parts: list[str],
    *,
    is_isotropic: bool,
    refusal: str = REFUSAL,
) -> web.Response:
    """Answer with a slice as an image.

    Args:
        request: The request.
        instance: The scale to cut the slice from.
        shape: Its axes.
        parts: The path below the endpoint: axes, size, offset and, if given, the image format.
        is_isotropic: Whether pixels are square.
        refusal: How the refusal of an empty slice begins.
    """
    wanted = parse_slice(shape, parts[1], parts[2], refusal)
    plane = _as_stored(wanted, instance) if is_isotropic else wanted
    check_cutout(request, instance, plane.box)
    image_format = format_at(parts, 3)
    check_image(request, instance, image_format, wanted.width, wanted.height)
    if request.method == hdrs.METH_HEAD:
        return image_response(b"", image_format)
    voxels = await read_box(instance.data.grid, plane.box)
    return await draw_slice(request, instance, plane, voxels, image_format, (wanted.width, wanted.height))


async def _stack(request: web.Request, instance: Instance[ImageData], box: Box) -> web.Response:
    """Answer with a box as one JPEG, its planes stacked vertically."""
    image_format = ImageFormat(ImageKind.JPEG)
    width, height = stacked_extent(box.size)
    check_image(request, instance, image_format, width, height)
    if request.method == hdrs.METH_HEAD:
        return image_response(b"", image_format)
    voxels = await read_box(instance.data.grid, box)
    if voxels is None:
        voxels = zeros(instance.data.grid, box)
    return await draw(request, instance, voxels.reshape(voxels.shape[0], height, width), image_format)


def _as_stored(plane: Slice, instance: Instance[ImageData]) -> Slice:
    """Return the slice of stored voxels that is scaled to *plane*, whose pixels are square."""
    resolution = (
        instance.data.voxel_size[plane.shape.axes[0]],
        instance.data.voxel_size[plane.shape.axes[1]],
    )
    width, height = isotropic_extent(plane.width, plane.height, resolution)
    return check_slice(Slice(plane.shape, plane.offset, width, height))


def refuse_roi(request: web.Request) -> None:
    """Refuse `roi=`, because this server has no regions of interest.

    (imageblk.go:2273-2288, 3400c2cb)

    Raises:
        RequestError: The request has a `roi`.
    """
    name = request.query.get("roi")
    if not name:
        return
    attenuation = request.query.get("attenuation")
    if attenuation and not 1 <= parse_int32(attenuation, "Atoi") <= 7:
        raise RequestError("Attenuation should be from 1 to 7 (divides by 2^n)")
    raise RequestError(f"Can't get ROI with name {quote(name)}: invalid data instance name")
