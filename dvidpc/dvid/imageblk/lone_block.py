"""Answer a box that is not made of whole blocks, which DVID refuses, as one block of the box's size."""

import operator
from functools import partial

from aiohttp import hdrs, web

from dvidpc.data.image import ImageData
from dvidpc.data.instance import Instance
from dvidpc.dvid.imageblk.drawing import box_nbytes, in_thread
from dvidpc.dvid.limits import check_size
from dvidpc.dvid.patience import ALL_LEFT_OUT, omission_of
from dvidpc.dvid.services import SERVICES
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.dvid.block_stream import encode_frame
from dvidpc.formats.grid import Box
from dvidpc.formats.images import ImageFormat, ImageKind, encode_image, stacked_extent
from dvidpc.formats.payloads import JPEG, Payload
from dvidpc.http.streaming import OCTETS, send
from dvidpc.types import BlockCoord, Point
from dvidpc.volume.cutout import listed, read_box

_NEUROGLANCER = "Neuroglancer"
"""The name that neuroglancer sends in `app=`."""


def is_lone(size: Point, offset: Point, block_size: Point, app: str) -> bool:
    """Return whether a box is answered as one block instead of as the blocks that fill it.

    This holds for a box whose size is not a multiple of the block size. A box of such a size that is not
    aligned is refused, as in DVID. It also holds for every box that neuroglancer requests: it expects one
    block, and requests other sizes than 64 x 64 x 64 if voxels are anisotropic.
    (neuroglancer sliceview/base.ts:448)
    """
    if min(size) <= 0 or (size == block_size and not any(map(operator.mod, offset, block_size))):
        return False
    return app == _NEUROGLANCER or any(map(operator.mod, size, block_size))


async def answer_box(
    request: web.Request, instance: Instance[ImageData], box: Box, payload: Payload
) -> web.StreamResponse:
    """Answer with a stream of one block, or of none if nothing is stored in *box*.

    The frame carries the coordinate of the block that *box* starts in.

    Raises:
        TooLargeError: The box exceeds `max_response`, or the limits of JPEG.
        StoreError: The bucket failed, and the client bears an error.
    """
    check_size(box_nbytes(instance, box), request.app[SERVICES].limits.max_response)
    extent = stacked_extent(box.size) if payload is JPEG else None
    if request.method == hdrs.METH_HEAD:
        return web.Response(content_type=OCTETS)
    block = BlockCoord(*map(operator.floordiv, box.start, instance.data.grid.block_size))
    voxels = await _read(request, instance, block, box)
    if voxels is None:
        return await send(request, ())
    body = await in_thread(request, instance, voxels.nbytes, partial(_encode, voxels, extent))
    return await send(request, encode_frame(block, body))


async def _read(
    request: web.Request, instance: Instance[ImageData], block: BlockCoord, box: Box
) -> Voxels | None:
    """Return the voxels of *box*; None if nothing is stored there, or if it failed and is left out."""
    omission = omission_of(request)
    if omission is None:
        return await read_box(instance.data.grid, box)
    if ALL_LEFT_OUT in request:
        omission.leave_all_out(1, request[ALL_LEFT_OUT])
        return None
    return await omission.value_or_none(block, lambda: read_box(instance.data.grid, box))


def _encode(voxels_czyx: Voxels, extent: tuple[int, int] | None) -> bytes:
    """Encode as a JPEG of *extent* (width, height), or as plain voxels if *extent* is None."""
    if extent is None:
        return bytes(listed(voxels_czyx))
    width, height = extent
    return encode_image(voxels_czyx.reshape(height, width), ImageFormat(ImageKind.JPEG))
