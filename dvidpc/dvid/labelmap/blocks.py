"""The endpoints `specificblocks` and `blocks` of labels."""

from aiohttp import web

from dvidpc.counters import TALLY
from dvidpc.data.image import ImageData
from dvidpc.data.instance import Instance
from dvidpc.dvid.imageblk.blocks import answer_blocks, blocks_of_subvolume, requested_blocks
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.url.coordinates import parse_point
from dvidpc.dvid.url.numbers import SHOWN
from dvidpc.dvid.url.path import call_parts
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.label_payloads import BLOCKS, LABEL_PAYLOADS, LZ4
from dvidpc.formats.payloads import Payload


async def specific_blocks(request: web.Request, instance: Instance[ImageData]) -> web.StreamResponse:
    """Answer `specificblocks?blocks=x,y,z,...[&compression=]`, in the order of the request.

    (labelmap/blocks.go:379-480, 3400c2cb)
    """
    payload = _parse_payload(request.query.get("compression", ""), BLOCKS)
    blocks = await requested_blocks(request.query.get("blocks", ""), request.app[SERVICES].limits.max_blocks)
    TALLY.get().blocks = len(blocks)
    return await answer_blocks(request, instance, blocks, payload)


async def box_of_blocks(request: web.Request, instance: Instance[ImageData]) -> web.StreamResponse:
    """Answer `blocks/<size>/<offset>[?compression=]`: the blocks of a box in voxels.

    (labelmap/blocks.go:495-560, 3400c2cb)
    """
    _, *parts = call_parts(request)
    if len(parts) < 2:
        raise RequestError("must specify size and offset with GET /blocks endpoint")
    payload = _parse_payload(request.query.get("compression", ""), LZ4)
    offset, size = parse_point(parts[1], "Offset"), parse_point(parts[0], "Size")
    if min(size) < 0:
        raise RequestError(f"illegal size requested: {parts[0][:SHOWN]}")
    max_blocks = request.app[SERVICES].limits.max_blocks
    blocks = blocks_of_subvolume(size, offset, instance.data.grid.block_size, max_blocks)
    TALLY.get().blocks = len(blocks)
    return await answer_blocks(request, instance, blocks, payload)


def _parse_payload(text: str, default: Payload) -> Payload:
    if not text:
        return default
    payload = LABEL_PAYLOADS.get(text)
    if payload is None:
        raise RequestError('compression must be "lz4" (default), "gzip", "blocks" or "uncompressed"')
    return payload
