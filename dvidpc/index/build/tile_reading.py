"""Reads the chunks of a tile through the server's own readers, and counts their labels."""

import asyncio
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import FormatError, StoreError, StoreRefusedError
from dvidpc.formats.grid import Grid
from dvidpc.index.build.block_counts import NO_COUNTS, BlockCounts, count_chunk, count_voxels, join_counts
from dvidpc.index.build.job import BuildJob, Tiling
from dvidpc.sources.base import ChunkSource, SourceTools
from dvidpc.sources.buckets import access_of
from dvidpc.sources.isolation import Isolation
from dvidpc.storage.coalesce import CoalescingStore
from dvidpc.storage.opening import open_store
from dvidpc.tasks import abandon, gather_or_cancel
from dvidpc.types import ChunkCoord

_INDEX_MEMORY: Final = 64 * 2**20
"""Bytes that are kept of the indexes of shards."""
_ATTEMPTS: Final = 5
"""How often a chunk is read before its tile fails. The store retries each of these reads too."""
_PAUSE_S: Final = 0.1
"""Before the first retry; four times as long before each further one."""
_BATCHES_AHEAD: Final = 2
"""Batches that are read while one is counted."""


@asynccontextmanager
async def opened_source(job: BuildJob) -> AsyncIterator[ChunkSource]:
    """Open the finest scale of a volume."""
    store = await open_store(access_of(job.store), job.limits, environ=os.environ)
    isolation = Isolation()
    indexes = LoadingCache(_INDEX_MEMORY, absence_ttl_s=0, clock=time.monotonic)
    try:
        source, *_ = job.scale.stored.open(CoalescingStore(store), SourceTools(indexes, isolation))
        yield source
    finally:
        isolation.close()
        await store.close()


def grid_of(job: BuildJob) -> Grid:
    """Return the lattice of the chunks that are read."""

    async def look() -> Grid:
        async with opened_source(job) as source:
            return source.grid

    return asyncio.run(look())


async def count_tile(source: ChunkSource, tiling: Tiling, number: int) -> AsyncIterator[BlockCounts]:
    """Yield the block counts of a tile, batch by batch.

    Raises:
        FormatError: A chunk is damaged.
        StoreError: A chunk cannot be read.
    """
    batches = tiling.batches(number)
    tasks: deque[asyncio.Task[BlockCounts]] = deque()
    try:
        while True:
            _start(tasks, source, batches)
            if not tasks:
                return
            counts = await tasks[0]
            tasks.popleft()
            _start(tasks, source, batches)
            yield counts
    finally:
        await abandon(tasks)


def _start(
    tasks: "deque[asyncio.Task[BlockCounts]]", source: ChunkSource, batches: Iterator[list[ChunkCoord]]
) -> None:
    while len(tasks) < _BATCHES_AHEAD and (cells := next(batches, None)) is not None:
        tasks.append(asyncio.ensure_future(_count_batch(source, cells)))


async def _count_batch(source: ChunkSource, cells: list[ChunkCoord]) -> BlockCounts:
    return join_counts(await gather_or_cancel(count_cell(source, cell) for cell in cells))


async def count_cell(source: ChunkSource, cell: ChunkCoord) -> BlockCounts:
    """Read and count one chunk; one that is not stored has no labels.

    Raises:
        FormatError: It is damaged, whenever it is read.
        StoreError: It cannot be read.
    """
    for attempt in range(_ATTEMPTS):
        try:
            data = await source.read(cell)
            return NO_COUNTS if data is None else _count(source, cell, data)
        except StoreRefusedError:
            raise
        except (FormatError, StoreError):
            if attempt == _ATTEMPTS - 1:
                raise
            await asyncio.sleep(_PAUSE_S * 4**attempt)
    raise AssertionError


def _count(source: ChunkSource, cell: ChunkCoord, data: bytes) -> BlockCounts:
    start = source.grid.chunk_box(cell).start
    chunk = source.label_chunk(cell, data)
    if chunk is not None:
        return count_chunk(chunk, start)
    return count_voxels(source.decode(cell, data)[0], start)
