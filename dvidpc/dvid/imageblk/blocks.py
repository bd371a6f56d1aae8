"""The block endpoints: `specificblocks`, `subvolblocks`, `blocks`."""

import asyncio
import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from aiohttp import hdrs, web

from dvidpc.counters import TALLY
from dvidpc.data.image import ImageData
from dvidpc.data.instance import Instance
from dvidpc.dvid.imageblk.lone_block import answer_box, is_lone
from dvidpc.dvid.imageblk.scale import at_scale
from dvidpc.dvid.limits import check_block_count, check_size
from dvidpc.dvid.patience import ALL_LEFT_OUT, omission_of
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.url.coordinates import parse_block_coord, parse_blocks, parse_point
from dvidpc.dvid.url.geometry import box_at
from dvidpc.dvid.url.numbers import parse_int32
from dvidpc.dvid.url.path import call_parts
from dvidpc.dvid.url.query import parse_payload, parse_switch
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.block_stream import encode_frame
from dvidpc.formats.grid import blocks_filling
from dvidpc.formats.payloads import UNCOMPRESSED, Payload
from dvidpc.http.lifetime import NO_CACHE
from dvidpc.http.streaming import OCTETS, send, stream
from dvidpc.types import BlockCoord, Point
from dvidpc.volume.fetching import fetch_blocks
from dvidpc.volume.grid_store import GridStore

_MAX_CACHED_ANSWER = 16 * 2**20
"""Largest answer, in bytes, that is sent as a whole if every block is cached."""

_MANY_BLOCKS = 512
"""A request for more blocks than this is parsed in a thread, and its answer is streamed."""


async def specific_blocks(request: web.Request, instance: Instance[ImageData]) -> web.StreamResponse:
    """Answer `specificblocks?blocks=x,y,z,...[&compression=][&prefetch=]`, in the order of the request.

    (imageblk.go:1962-2060, 3400c2cb)
    """
    query = request.query
    instance = at_scale(request, instance)
    payload = requested_payload(query.get("compression", ""), instance)
    blocks = await requested_blocks(query.get("blocks", ""), request.app[SERVICES].limits.max_blocks)
    TALLY.get().blocks = len(blocks)
    if parse_switch(query, "prefetch"):
        request.app[SERVICES].prefetcher.start(instance.data.grid, blocks, payload)
        return web.Response(content_type=OCTETS, headers={hdrs.CACHE_CONTROL: NO_CACHE})
    return await answer_blocks(request, instance, blocks, payload)


async def subvolume_blocks(request: web.Request, instance: Instance[ImageData]) -> web.StreamResponse:
    """Answer `subvolblocks/<size>/<offset>[?compression=]`: the blocks of a box in voxels.

    Some boxes that DVID refuses are answered as one block: see `is_lone`.
    (imageblk.go:2120-2240, 3400c2cb)
    """
    query = request.query
    instance = at_scale(request, instance)
    payload = requested_payload(query.get("compression", ""), instance)
    parts = call_parts(request)
    if len(parts) != 3:
        raise RequestError('"subvolblocks" must be followed by size/offset')
    offset, size = parse_point(parts[2], "Offset"), parse_point(parts[1], "Size")
    max_blocks = request.app[SERVICES].limits.max_blocks
    if is_lone(size, offset, instance.data.grid.block_size, query.get("app", "")):
        return await answer_box(request, instance, box_at(offset, size), payload)
    blocks = blocks_of_subvolume(size, offset, instance.data.grid.block_size, max_blocks)
    TALLY.get().blocks = len(blocks)
    return await answer_blocks(request, instance, blocks, payload)


async def block_span(request: web.Request, instance: Instance[ImageData]) -> web.StreamResponse:
    """Answer `blocks/<x_y_z>/<span>`: a row of blocks along x, uncompressed, without frames.

    An absent block is sent as zeros.

    (read.go:455-505, 3400c2cb)
    """
    parts = call_parts(request)
    if len(parts) != 3:
        raise RequestError('"blocks" must be followed by block-coord/span-x')
    instance = at_scale(request, instance)
    first, span = parse_block_coord(parts[1]), parse_int32(parts[2], "Atoi")
    if span < 0:
        raise RequestError(f"the span is {span} blocks; it must not be negative")
    limits = request.app[SERVICES].limits
    check_block_count(span, limits.max_blocks)
    TALLY.get().blocks = span
    size = span * instance.data.grid.block_nbytes
    check_size(size, limits.max_response)
    return await stream(request, fill_absent(instance.data.grid, first, span), size)


def blocks_of_subvolume(size: Point, offset: Point, block_size: Point, max_blocks: int) -> list[BlockCoord]:
    """Return the blocks of a box; none if its size is not positive.

    Raises:
        RequestError: The box does not start and end at block boundaries.
        TooLargeError: The box has more than *max_blocks* blocks.
    """
    box = box_at(offset, size)
    if any(o % b or s % b for o, s, b in zip(offset, size, block_size, strict=True)):
        first, last = (",".join(map(str, point)) for point in (offset, (stop - 1 for stop in box.stop)))
        raise RequestError(
            f"cannot use labels via 'block' endpoint in non-block aligned geometry ({first}) -> ({last})"
        )
    if box.is_empty:
        return []
    check_block_count(math.prod(size) // math.prod(block_size), max_blocks)
    return blocks_filling(box, block_size)


def requested_payload(text: str, instance: Instance[ImageData]) -> Payload:
    """Return the payload that `compression=` names.

    Raises:
        RequestError: The name is unknown, or the instance's voxels cannot be encoded like that.
    """
    payload = parse_payload(text, instance.data.grid.default_payload)
    if not instance.data.grid.can_encode(payload):
        raise RequestError(
            f"can't encode JPEG: {instance.data.data_type.name} data are served uncompressed only"
        )
    return payload


async def requested_blocks(text: str, max_blocks: int) -> list[BlockCoord]:
    """Return the blocks that a query lists; a long list is parsed in a thread.

    Raises:
        RequestError: *text* is malformed.
        TooLargeError: There are more than *max_blocks*.
    """
    if text.count(",") < 3 * _MANY_BLOCKS:
        return parse_blocks(text, max_blocks)
    return await asyncio.to_thread(parse_blocks, text, max_blocks)


async def answer_blocks(
    request: web.Request, instance: Instance[ImageData], blocks: Sequence[BlockCoord], payload: Payload
) -> web.StreamResponse:
    """Answer with the block stream of *blocks*.

    Raises:
        TooLargeError: The answer could exceed `max_response`.
    """
    limits = request.app[SERVICES].limits
    if payload.name == UNCOMPRESSED.name:
        check_size(len(blocks) * instance.data.grid.block_nbytes, limits.max_response)
    omission = omission_of(request)
    if omission is not None and ALL_LEFT_OUT in request:
        omission.leave_all_out(len(blocks), request[ALL_LEFT_OUT])
        return await send(request, ())
    cached = (
        None
        if len(blocks) > _MANY_BLOCKS
        else instance.data.grid.peek_all(blocks, payload, _MAX_CACHED_ANSWER)
    )
    if cached is not None:
        return await send(request, [part for frame in cached for part in encode_frame(*frame)])
    found = fetch_blocks(instance.data.grid, blocks, payload, omission=omission)
    return await stream(request, frames_of(found))


async def frames_of(
    found: AsyncGenerator[tuple[BlockCoord, bytes], None],
) -> AsyncGenerator[bytes, None]:
    """Yield the block stream of the blocks *found*."""
    async with aclosing(found):
        async for frame in found:
            for part in encode_frame(*frame):
                yield part


async def fill_absent(grid: GridStore, first: BlockCoord, span: int) -> AsyncGenerator[bytes, None]:
    """Yield the uncompressed payloads of *span* blocks from *first* along x; zeros for absent blocks."""
    zeros = bytes(grid.block_nbytes)
    blocks = (first._replace(x=first.x + step) for step in range(span))
    due = first.x
    found = fetch_blocks(grid, blocks, UNCOMPRESSED)
    async with aclosing(found):
        async for block, payload in found:
            for _ in range(block.x - due):
                yield zeros
            yield payload
            due = block.x + 1
    for _ in range(first.x + span - due):
        yield zeros
