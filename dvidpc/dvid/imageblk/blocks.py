"""The block endpoints: `specificblocks`, `subvolblocks`, `blocks`."""

import asyncio
import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from aiohttp import web

from dvidpc.counters import TALLY
from dvidpc.data.repo import Instance
from dvidpc.dvid.geometry import box_at
from dvidpc.dvid.imageblk.lone_block import answer_box, is_lone
from dvidpc.dvid.imageblk.scale import at_scale
from dvidpc.dvid.query import (
    check_block_count,
    check_size,
    parse_block_coord,
    parse_blocks,
    parse_compression,
    parse_int32,
    parse_point,
    parse_switch,
)
from dvidpc.dvid.services import SERVICES
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.block_stream import encode_frame
from dvidpc.formats.grid import Box, blocks_filling
from dvidpc.http.streaming import OCTETS, send, stream
from dvidpc.types import BlockCoord, Compression, Point
from dvidpc.volume.fetching import fetch_blocks, peek_blocks
from dvidpc.volume.grid_store import GridStore

_MOST_KNOWN = 16 * 2**20
"""Bytes up to which an answer may be held as a whole, where all of it is in the cache anyway."""

_MANY = 512
"""Blocks beyond which a request takes others' time: it is read in a thread, and answered bit by bit."""


async def specific_blocks(request: web.Request, instance: Instance) -> web.StreamResponse:
    """`specificblocks?blocks=x,y,z,...[&compression=][&prefetch=]`: any blocks, in the order asked for.

    (imageblk.go:1962-2060, 3400c2cb)
    """
    query = request.query
    instance = at_scale(request, instance)
    compression = asked_compression(query.get("compression", ""), instance)
    blocks = await _asked_blocks(query.get("blocks", ""), request.app[SERVICES].limits.max_blocks)
    TALLY.get().blocks = len(blocks)
    if parse_switch(query, "prefetch"):
        request.app[SERVICES].prefetcher.start(instance.grid, blocks, compression)
        return web.Response(content_type=OCTETS)
    return await answer_blocks(request, instance, blocks, compression)


async def subvolume_blocks(request: web.Request, instance: Instance) -> web.StreamResponse:
    """`subvolblocks/<size>/<offset>[?compression=]`: the blocks of a box, in voxels, made of whole blocks.

    Of some boxes DVID refuses, the answer is the box as one block: see `is_lone`.
    (imageblk.go:2120-2240, 3400c2cb)
    """
    query = request.query
    instance = at_scale(request, instance)
    compression = asked_compression(query.get("compression", ""), instance)
    parts = request.match_info["call"].rstrip("/").split("/")
    if len(parts) != 3:
        raise RequestError('"subvolblocks" must be followed by size/offset')
    offset, size = parse_point(parts[2], "Offset"), parse_point(parts[1], "Size")
    max_blocks = request.app[SERVICES].limits.max_blocks
    if is_lone(size, offset, instance.grid.block_size, query.get("app", "")):
        return await answer_box(request, instance, box_at(offset, size), compression)
    blocks = blocks_of_subvolume(size, offset, instance.grid.block_size, max_blocks)
    TALLY.get().blocks = len(blocks)
    return await answer_blocks(request, instance, blocks, compression)


async def block_span(request: web.Request, instance: Instance) -> web.StreamResponse:
    """`blocks/<x_y_z>/<span>`: blocks in a row along x, uncompressed and without frames, zero where absent.

    (read.go:455-505, 3400c2cb)
    """
    parts = request.match_info["call"].rstrip("/").split("/")
    if len(parts) != 3:
        raise RequestError('"blocks" must be followed by block-coord/span-x')
    instance = at_scale(request, instance)
    first, span = parse_block_coord(parts[1]), parse_int32(parts[2], "Atoi")
    if span < 0:
        raise RequestError(f"span of blocks is {span}; it cannot be negative")
    limits = request.app[SERVICES].limits
    check_block_count(span, limits.max_blocks)
    TALLY.get().blocks = span
    size = span * instance.grid.block_nbytes
    check_size(size, limits.max_response)
    return await stream(request, fill_absent(instance.grid, first, span), size)


def blocks_of_subvolume(size: Point, offset: Point, block_size: Point, max_blocks: int) -> list[BlockCoord]:
    """The blocks of a box that a client names by its size and offset; none where the size is not positive.

    Raises:
        RequestError: The box does not start and end on the borders of blocks.
        TooLargeError: It is made of more than *max_blocks*.
    """
    box = Box(offset, Point(*(o + s for o, s in zip(offset, size, strict=True))))
    if any(o % b or s % b for o, s, b in zip(offset, size, block_size, strict=True)):
        first, last = (",".join(map(str, point)) for point in (offset, (stop - 1 for stop in box.stop)))
        raise RequestError(
            f"cannot use labels via 'block' endpoint in non-block aligned geometry ({first}) -> ({last})"
        )
    if box.is_empty:
        return []
    check_block_count(math.prod(size) // math.prod(block_size), max_blocks)
    return blocks_filling(box, block_size)


def asked_compression(text: str, instance: Instance) -> Compression:
    """What `compression=` asks of an instance.

    Raises:
        RequestError: The word is unknown, or the instance's voxels cannot be written so.
    """
    compression = parse_compression(text, instance.grid.default_compression)
    if not instance.grid.can_encode(compression):
        raise RequestError(
            f"can't encode JPEG: {instance.voxel_type.type_name} data are served uncompressed only"
        )
    return compression


async def _asked_blocks(text: str, max_blocks: int) -> list[BlockCoord]:
    if text.count(",") < 3 * _MANY:
        return parse_blocks(text, max_blocks)
    return await asyncio.to_thread(parse_blocks, text, max_blocks)


async def answer_blocks(
    request: web.Request, instance: Instance, blocks: Sequence[BlockCoord], compression: Compression
) -> web.StreamResponse:
    """Answer with the block stream of *blocks*.

    Raises:
        TooLargeError: It might be larger than this server answers.
    """
    limits = request.app[SERVICES].limits
    if compression is Compression.UNCOMPRESSED:
        check_size(len(blocks) * instance.grid.block_nbytes, limits.max_response)
    known = None if len(blocks) > _MANY else peek_blocks(instance.grid, blocks, compression, _MOST_KNOWN)
    if known is not None:
        return await send(request, [part for frame in known for part in encode_frame(*frame)])
    omit_failed = request.query.get("app", "") in limits.omit_failed_blocks_for
    found = fetch_blocks(instance.grid, blocks, compression, omit_failed=omit_failed)
    return await stream(request, frames_of(found))


async def frames_of(
    found: AsyncGenerator[tuple[BlockCoord, bytes], None],
) -> AsyncGenerator[bytes, None]:
    """The block stream of what is *found*, block by block."""
    async with aclosing(found):
        async for frame in found:
            for part in encode_frame(*frame):
                yield part


async def fill_absent(grid: GridStore, first: BlockCoord, span: int) -> AsyncGenerator[bytes, None]:
    """The uncompressed payloads of *span* blocks from *first* along x; zeros where one is absent."""
    zeros = bytes(grid.block_nbytes)
    blocks = (first._replace(x=first.x + step) for step in range(span))
    due = first.x
    found = fetch_blocks(grid, blocks, Compression.UNCOMPRESSED)
    async with aclosing(found):
        async for block, payload in found:
            for _ in range(block.x - due):
                yield zeros
            yield payload
            due = block.x + 1
    for _ in range(first.x + span - due):
        yield zeros
