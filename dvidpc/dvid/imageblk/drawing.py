"""Check the size of slices and cut-outs, and answer with images."""

import asyncio
import math
from collections.abc import Callable, Sequence
from functools import partial

from aiohttp import web

from dvidpc.data.image import ImageData
from dvidpc.data.instance import Instance
from dvidpc.dvid.limits import check_size
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.url.geometry import Slice, parse_image_format
from dvidpc.errors import TooLargeError
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.dvid.scaling import pick_pixels, scale_image
from dvidpc.formats.grid import Box
from dvidpc.formats.images import ImageFormat, check_image_holds, check_image_size, encode_image, pixels_of
from dvidpc.volume.cutout import voxel_nbytes, zeros

_SMALL_NBYTES = 16 * 2**20
"""An image of at most this many bytes of voxels takes less than a second to encode."""


def format_at(parts: Sequence[str], place: int, default: str = "") -> ImageFormat:
    """Return the image format in part *place* of a path; *default* if the path has no such part.

    Raises:
        RequestError: The format is unknown.
    """
    return parse_image_format(parts[place] if len(parts) > place else default)


def check_cutout(request: web.Request, instance: Instance[ImageData], box: Box) -> None:
    """Refuse a cut-out that is too large.

    Raises:
        TooLargeError: The box exceeds `max_cutout`.
    """
    limit = request.app[SERVICES].limits.max_cutout
    nbytes = box_nbytes(instance, box)
    if nbytes > limit:
        raise TooLargeError(
            f"Requested payload ({nbytes} bytes) exceeds this DVID server's set limit ({limit}), max_cutout"
        )


def check_image(
    request: web.Request, instance: Instance[ImageData], image_format: ImageFormat, width: int, height: int
) -> None:
    """Refuse an image that is too large. Unlike a box of voxels, an image is held in memory as a whole.

    Raises:
        RequestError: The image format cannot represent such voxels.
        TooLargeError: The image exceeds `max_response`, or the limits of its format.
    """
    check_image_holds(instance.data.grid.chunk_shape.data_type.itemsize, image_format.kind)
    check_image_size(width, height, image_format.kind)
    check_size(width * height * voxel_nbytes(instance.data.grid), request.app[SERVICES].limits.max_response)


def box_nbytes(instance: Instance[ImageData], box: Box) -> int:
    """Return the size in bytes of a box of voxels as it is sent."""
    return math.prod(box.size) * voxel_nbytes(instance.data.grid)


async def draw_slice(
    request: web.Request,
    instance: Instance[ImageData],
    plane: Slice,
    voxels: Voxels | None,
    image_format: ImageFormat,
    extent: tuple[int, int] | None = None,
) -> web.Response:
    """Answer with the image of a slice.

    Args:
        request: The request.
        instance: The instance that *voxels* are from.
        plane: The slice.
        voxels: The voxels of the slice; None: nothing is stored there.
        image_format: Format of the image.
        extent: Width and height to scale the slice to; None: do not scale.
    """
    if voxels is None:
        voxels = zeros(instance.data.grid, plane.box)
    values = voxels.reshape(voxels.shape[0], plane.height, plane.width)
    return await draw(request, instance, values, image_format, extent)


async def draw(
    request: web.Request,
    instance: Instance[ImageData],
    plane_crc: Voxels,
    image_format: ImageFormat,
    extent: tuple[int, int] | None = None,
) -> web.Response:
    """Answer with an image of *plane_crc* `[value, row, column]`, scaled to *extent* if that is given."""
    scale = pick_pixels if instance.data.voxel_type.are_ids else scale_image
    step = partial(_encode, plane_crc, image_format, extent, scale)
    return image_response(await in_thread(request, instance, plane_crc.nbytes, step), image_format)


async def in_thread(
    request: web.Request, instance: Instance[ImageData], nbytes: int, step: Callable[[], bytes]
) -> bytes:
    """Run *step*, which encodes *nbytes* of voxels, in a thread and return its result.

    The pool that decodes chunks runs small steps only. Two slices of 20,000 x 20,000 would occupy it, and
    delay every other request, for half a minute.
    """
    if nbytes <= _SMALL_NBYTES:
        return await instance.data.grid.in_pool(step)
    async with request.app[SERVICES].large_images:
        return await asyncio.to_thread(step)


def image_response(body: bytes, image_format: ImageFormat) -> web.Response:
    """Return an answer with an encoded image."""
    return web.Response(body=body, content_type=image_format.kind.media_type)


def _encode(
    plane_crc: Voxels,
    image_format: ImageFormat,
    extent: tuple[int, int] | None,
    scale: Callable[[Voxels, int, int], Voxels],
) -> bytes:
    if extent is not None:
        plane_crc = scale(plane_crc, *extent)
    return encode_image(pixels_of(plane_crc), image_format)
