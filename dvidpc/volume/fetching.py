"""Fetches the blocks of one request: many at a time, handed over in the order they were asked for."""

import logging
from collections import deque
from collections.abc import AsyncGenerator, Iterable

from dvidpc.cache.flights import Share
from dvidpc.cache.loading_cache import MISSING
from dvidpc.counters import TALLY
from dvidpc.errors import FormatError, StoreError
from dvidpc.types import BlockCoord, Compression
from dvidpc.volume.grid_store import GridStore

log = logging.getLogger(__name__)

LOOK_AHEAD = 128
"""Blocks of one request that may be under way, or waiting for their turn to be sent."""

LOOK_AHEAD_BYTES = 64 * 2**20
"""Bytes that these may take uncompressed; blocks of 256 voxels along each edge have 16 MiB each."""


async def fetch_blocks(
    grid: GridStore, blocks: Iterable[BlockCoord], compression: Compression, *, omit_failed: bool = False
) -> AsyncGenerator[tuple[BlockCoord, bytes], None]:
    """Yield each block that is there with its payload, in the order of *blocks*, duplicates included.

    Args:
        grid: Which scale.
        blocks: Which blocks; absent ones are left out.
        compression: How payloads are written.
        omit_failed: Leave a block that cannot be read out instead of failing; logged. Only for
            clients that an error would kill.

    Raises:
        FormatError: A chunk is damaged.
        StoreError: The bucket failed.
    """
    waiting = iter(blocks)
    look_ahead = max(2, min(LOOK_AHEAD, LOOK_AHEAD_BYTES // grid.block_nbytes))
    window: deque[tuple[BlockCoord, bytes | Share[bytes | None]]] = deque()
    hold = grid.hold()
    try:
        while True:
            while len(window) < look_ahead and (block := next(waiting, None)) is not None:
                payload = grid.peek(block, compression)
                pending = grid.begin(block, compression, hold) if payload is MISSING else payload
                if pending is not None:
                    window.append((block, pending))
            if not window:
                return
            block, pending = window.popleft()
            ready = await _settle(pending, block, omit_failed=omit_failed)
            if ready is not None:
                yield block, ready
    finally:
        hold.close()
        for _, pending in window:
            if isinstance(pending, Share):
                pending.give_up()


def peek_blocks(
    grid: GridStore, blocks: Iterable[BlockCoord], compression: Compression, max_bytes: int
) -> list[tuple[BlockCoord, bytes]] | None:
    """What `fetch_blocks` would yield; None if that needs a reading, or is more than *max_bytes*."""
    found = []
    size = 0
    for block in blocks:
        payload = grid.peek(block, compression)
        if payload is MISSING:
            return None
        if payload is not None:
            found.append((block, payload))
            size += len(payload)
            if size > max_bytes:
                return None
    return found


async def warm(grid: GridStore, blocks: Iterable[BlockCoord], compression: Compression) -> None:
    """Have *blocks* in the cache, as far as they can be read; failures are left to who asks for the data."""
    async for _ in fetch_blocks(grid, blocks, compression, omit_failed=True):
        pass


async def _settle(
    pending: bytes | Share[bytes | None], block: BlockCoord, *, omit_failed: bool
) -> bytes | None:
    if not isinstance(pending, Share):
        return pending
    try:
        return await pending.value()
    except (FormatError, StoreError, MemoryError) as error:
        if not omit_failed:
            raise
        TALLY.get().omitted += 1
        log.error("block %d,%d,%d left out of an answer: %s", *block, error)
        return None
    finally:
        pending.give_up()
