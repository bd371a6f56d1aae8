"""Fetch the blocks of one request: many at a time, delivered in the order of the request."""

import logging
from collections import deque
from collections.abc import AsyncGenerator, Iterable

from dvidpc.cache.flights import Share
from dvidpc.cache.loading_cache import MISSING
from dvidpc.counters import TALLY
from dvidpc.errors import FormatError, StoreError
from dvidpc.formats.payloads import Payload
from dvidpc.types import BlockCoord
from dvidpc.volume.grid_store import GridStore

log = logging.getLogger(__name__)

LOOK_AHEAD = 128
"""Blocks of one request that may be in flight or wait to be sent."""

LOOK_AHEAD_BYTES = 64 * 2**20
"""Bytes that these may take uncompressed; a block of 256 voxels along each edge has 16 MiB."""


async def fetch_blocks(
    grid: GridStore, blocks: Iterable[BlockCoord], payload: Payload, *, omit_failed: bool = False
) -> AsyncGenerator[tuple[BlockCoord, bytes], None]:
    """Yield each block that is present with its payload, in the order of *blocks*, duplicates included.

    Args:
        grid: Which scale.
        blocks: Which blocks; absent ones are left out.
        payload: How they are encoded.
        omit_failed: Leave out and log a block that cannot be read instead of failing. Only for clients that
            an error would crash.

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
                data = grid.peek(block, payload)
                pending = grid.begin(block, payload, hold) if data is MISSING else data
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


async def warm(grid: GridStore, blocks: Iterable[BlockCoord], payload: Payload) -> None:
    """Load *blocks* into the cache; failures are left to the request that needs the data."""
    async for _ in fetch_blocks(grid, blocks, payload, omit_failed=True):
        pass


async def _settle(
    pending: bytes | Share[bytes | None], block: BlockCoord, *, omit_failed: bool
) -> bytes | None:
    if not isinstance(pending, Share):
        return pending
    try:
        return await pending.value()
    except (FormatError, StoreError) as error:
        if not omit_failed:
            raise
        TALLY.get().omitted += 1
        log.error("block left out of an answer: %d,%d,%d: %s", *block, error)
        return None
    finally:
        pending.give_up()
