"""Warms the cache for blocks a client says it will want, without anybody waiting."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from dvidpc.tasks import abandon
from dvidpc.types import BlockCoord, Compression
from dvidpc.volume.fetching import warm
from dvidpc.volume.grid_store import GridStore

log = logging.getLogger(__name__)

MAX_UNDER_WAY: Final = 8
"""Prefetches that may run at a time; they are a courtesy, so what comes on top is dropped."""


class Prefetcher:
    """Runs prefetches in the background until closed."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, grid: GridStore, blocks: Sequence[BlockCoord], compression: Compression) -> bool:
        """Begin to warm the cache for *blocks*; False if too much is under way already."""
        if len(self._tasks) >= MAX_UNDER_WAY:
            log.debug("prefetch of %d blocks dropped: %d are under way", len(blocks), len(self._tasks))
            return False
        task = asyncio.ensure_future(warm(grid, blocks, compression))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def close(self) -> None:
        """End what is under way."""
        await abandon(set(self._tasks))
