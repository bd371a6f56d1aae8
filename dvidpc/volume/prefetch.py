"""Warm the cache with blocks that a client announces, in the background."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from dvidpc.formats.payloads import Payload
from dvidpc.tasks import abandon, run_in_background
from dvidpc.types import BlockCoord
from dvidpc.volume.fetching import warm
from dvidpc.volume.grid_store import GridStore

if TYPE_CHECKING:
    import asyncio

log = logging.getLogger(__name__)

MAX_UNDER_WAY: Final = 8
"""Prefetches that may run at a time; they are optional, so further ones are dropped."""


class Prefetcher:
    """Runs prefetches in the background until it is closed."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, grid: GridStore, blocks: Sequence[BlockCoord], payload: Payload) -> bool:
        """Start to load *blocks* into the cache; False if too many prefetches are running."""
        if len(self._tasks) >= MAX_UNDER_WAY:
            log.debug("prefetch dropped: %d blocks: %d prefetches are running", len(blocks), len(self._tasks))
            return False
        task = run_in_background("prefetch", warm(grid, blocks, payload))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def close(self) -> None:
        """Cancel the prefetches that are running."""
        await abandon(set(self._tasks))
