"""A box that is answered as one block of its own, where DVID could but refuse it."""

import operator
from functools import partial

from aiohttp import hdrs, web

from dvidpc.data.image import ImageData
from dvidpc.data.instance import Instance
from dvidpc.dvid.imageblk.drawing import box_nbytes, in_thread
from dvidpc.dvid.query import check_size
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
"""What it calls itself in `app=`."""


def is_lone(size: Point, offset: Point, block_size: Point, app: str) -> bool:
    """Whether a box is answered as a block of its own, not by the blocks it is made of.

    So is a box whose size no blocks add up to; one that only lies askew is refused as in DVID. So is any
    box of neuroglancer's, which takes one block from an answer, and asks for other sizes than 64 x 64 x 64
    where voxels are no cubes.  (neuroglancer sliceview/base.ts:448)
    """
    if min(size) <= 0 or (size == block_size and not any(map(operator.mod, offset, block_size))):
        return False
    return app == _NEUROGLANCER or any(map(operator.mod, size, block_size))


async def answer_box(
    request: web.Request, instance: Instance[ImageData], box: Box, payload: Payload
) -> web.StreamResponse:
    """Answer with a stream of one block, said to be the one *box* starts in; of none if all of it is absent.

    Raises:
        TooLargeError: The box is too large to be held, or for a JPEG.
    """
    check_size(box_nbytes(instance, box), request.app[SERVICES].limits.max_response)
    extent = stacked_extent(box.size) if payload is JPEG else None
    if request.method == hdrs.METH_HEAD:
        return web.Response(content_type=OCTETS)
    voxels = await read_box(instance.data.grid, box)
    if voxels is None:
        return await send(request, ())
    body = await in_thread(request, instance, voxels.nbytes, partial(_encode, voxels, extent))
    block = BlockCoord(*map(operator.floordiv, box.start, instance.data.grid.block_size))
    return await send(request, encode_frame(block, body))


def _encode(voxels_czyx: Voxels, extent: tuple[int, int] | None) -> bytes:
    """A JPEG of *extent*, width and height; None: the voxels as they are listed."""
    if extent is None:
        return bytes(listed(voxels_czyx))
    width, height = extent
    return encode_image(voxels_czyx.reshape(height, width), ImageFormat(ImageKind.JPEG))
