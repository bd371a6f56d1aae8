"""Answers that are images."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from aiohttp import web

from dvidpc.data.image import ImageData
from dvidpc.data.instance import Instance
from dvidpc.dvid.geometry import Slice, parse_image_format
from dvidpc.dvid.query import check_size
from dvidpc.dvid.services import SERVICES
from dvidpc.errors import TooLargeError
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.dvid.scaling import scale_image
from dvidpc.formats.grid import Box
from dvidpc.formats.images import ImageFormat, check_image_holds, check_image_size, encode_image, pixels_of
from dvidpc.volume.cutout import voxel_nbytes, zeros

_SMALL_NBYTES = 16 * 2**20
"""Bytes of voxels whose image takes less than a second to encode."""


def path_of(request: web.Request) -> list[str]:
    """The endpoint of an instance that is asked, and what follows it, as they stand between slashes."""
    return request.match_info["call"].removesuffix("/").split("/")


def format_at(parts: Sequence[str], place: int, default: str = "") -> ImageFormat:
    """The image format at a *place* of a path, *default* if it ends before.

    Raises:
        RequestError: There is no such format.
    """
    return parse_image_format(parts[place] if len(parts) > place else default)


def check_cutout(request: web.Request, instance: Instance[ImageData], box: Box) -> None:
    """Refuse to read a box that is too large.

    Raises:
        TooLargeError: It is.
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
    """Refuse to make an image that is too large: unlike a box of voxels it is held whole.

    Raises:
        RequestError: Its format cannot hold such voxels.
        TooLargeError: It is, or its format cannot hold it.
    """
    check_image_holds(instance.data.grid.chunk_shape.data_type.itemsize, image_format.kind)
    check_image_size(width, height, image_format.kind)
    check_size(width * height * voxel_nbytes(instance.data.grid), request.app[SERVICES].limits.max_response)


def box_nbytes(instance: Instance[ImageData], box: Box) -> int:
    """Bytes of the voxels of a box as they are sent."""
    return box.size.x * box.size.y * box.size.z * voxel_nbytes(instance.data.grid)


async def draw_slice(
    request: web.Request,
    instance: Instance[ImageData],
    plane: Slice,
    voxels: Voxels | None,
    image_format: ImageFormat,
    extent: tuple[int, int] | None = None,
) -> web.Response:
    """The image of a slice as it was read; scaled to *extent*, width and height, where that is given."""
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
    """The image of values `[value, row, column]`."""
    step = partial(_encode, plane_crc, image_format, extent)
    return image_response(await in_thread(request, instance, plane_crc.nbytes, step), image_format)


async def in_thread(
    request: web.Request, instance: Instance[ImageData], nbytes: int, step: Callable[[], bytes]
) -> bytes:
    """The result of *step*, which encodes *nbytes* of voxels.

    The threads that decode chunks take small ones only: two slices of 20,000 x 20,000 would keep all of
    them busy, and every other request waiting, for half a minute.
    """
    if nbytes <= _SMALL_NBYTES:
        return await instance.data.grid.in_pool(step)
    async with request.app[SERVICES].large_images:
        return await asyncio.to_thread(step)


def image_response(body: bytes, image_format: ImageFormat) -> web.Response:
    """An answer that is an image."""
    return web.Response(body=body, content_type=image_format.kind.media_type)


def _encode(plane_crc: Voxels, image_format: ImageFormat, extent: tuple[int, int] | None) -> bytes:
    if extent is not None:
        plane_crc = scale_image(plane_crc, *extent)
    return encode_image(pixels_of(plane_crc), image_format)
