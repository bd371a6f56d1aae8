"""Reads the chunks of a tile through the server's own readers, and counts their labels."""

import asyncio
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import numpy as np

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import FormatError, StoreError, StoreRefusedError
from dvidpc.formats.grid import Box, Grid
from dvidpc.formats.precomputed.label_voxels import decode_voxels
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
_ATTEMPTS_AT_DAMAGE: Final = 3
"""Likewise for a chunk that looks damaged, which is most often true."""
_PAUSE_S: Final = 0.1
"""Before the first retry; four times as long before each further one."""
_BATCHES_AHEAD: Final = 2
"""Batches that are read while one is counted."""


@asynccontextmanager
async def opened_copies(job: BuildJob) -> AsyncIterator[Sequence[ChunkSource]]:
    """Open the copies of the finest scale: the first is read, and for its holes the others."""
    store = await open_store(access_of(job.store), job.limits, environ=os.environ)
    isolation = Isolation()
    indexes = LoadingCache(_INDEX_MEMORY, absence_ttl_s=0, clock=time.monotonic)
    try:
        yield job.scale.stored.open(CoalescingStore(store), SourceTools(indexes, isolation))
    finally:
        isolation.close()
        await store.close()


def grid_of(job: BuildJob) -> Grid:
    """Return the lattice of the chunks that are read."""

    async def look() -> Grid:
        async with opened_copies(job) as copies:
            return copies[0].grid

    return asyncio.run(look())


async def count_tile(
    copies: Sequence[ChunkSource], tiling: Tiling, number: int
) -> AsyncIterator[BlockCounts]:
    """Yield the block counts of a tile, batch by batch.

    Raises:
        FormatError: A chunk is damaged.
        StoreError: A chunk cannot be read.
    """
    batches = tiling.batches(number)
    tasks: deque[asyncio.Task[BlockCounts]] = deque()
    try:
        while True:
            _start(tasks, copies, batches)
            if not tasks:
                return
            counts = await tasks[0]
            tasks.popleft()
            _start(tasks, copies, batches)
            yield counts
    finally:
        await abandon(tasks)


def _start(
    tasks: "deque[asyncio.Task[BlockCounts]]",
    copies: Sequence[ChunkSource],
    batches: Iterator[list[ChunkCoord]],
) -> None:
    while len(tasks) < _BATCHES_AHEAD and (cells := next(batches, None)) is not None:
        tasks.append(asyncio.ensure_future(_count_batch(copies, cells)))


async def _count_batch(copies: Sequence[ChunkSource], cells: list[ChunkCoord]) -> BlockCounts:
    return join_counts(await gather_or_cancel(_count_cell(copies, cell) for cell in cells))


async def _count_cell(copies: Sequence[ChunkSource], cell: ChunkCoord) -> BlockCounts:
    return await count_box(copies, copies[0].grid.chunk_box(cell))


async def count_box(copies: Sequence[ChunkSource], box: Box) -> BlockCounts:
    """Count the labels of a box: of what the first copy stores, and for its holes of what the others store.

    Raises:
        FormatError: A chunk is damaged, whenever it is read.
        StoreError: A chunk cannot be read.
    """
    source, *others = copies
    parts = []
    for cell in source.grid.chunks_touching(box):
        whole = source.grid.chunk_box(cell)
        part = whole.intersection(box)
        counts = await _read(source, cell, part)
        if counts is None:
            counts = await count_box(others, part) if others else _count_fill(source, cell, part)
        parts.append(counts)
    return parts[0] if len(parts) == 1 else join_counts(parts)


async def _read(source: ChunkSource, cell: ChunkCoord, part: Box) -> BlockCounts | None:
    """Read a chunk and count a part of it; None if it is not stored."""
    for attempt in range(_ATTEMPTS):
        try:
            data = await source.read(cell)
            return None if data is None else _count(source, cell, data, part)
        except StoreRefusedError:
            raise
        except (FormatError, StoreError) as error:
            if attempt + 1 == (_ATTEMPTS if isinstance(error, StoreError) else _ATTEMPTS_AT_DAMAGE):
                raise
            await asyncio.sleep(_PAUSE_S * 4**attempt)
    raise AssertionError


def _count(source: ChunkSource, cell: ChunkCoord, data: bytes, part: Box) -> BlockCounts:
    whole = source.grid.chunk_box(cell)
    chunk = source.label_chunk(cell, data)
    if chunk is not None and part == whole:
        return count_chunk(chunk, whole.start)
    voxels = source.decode(cell, data)[0] if chunk is None else decode_voxels(chunk)
    z, y, x = (
        slice(first - start, last - start)
        for first, last, start in zip(*map(reversed, (*part, whole.start)), strict=True)
    )
    return count_voxels(voxels[z, y, x], part.start)


def _count_fill(source: ChunkSource, cell: ChunkCoord, part: Box) -> BlockCounts:
    """Count what a missing chunk stands for: nothing, or the fill value of an array."""
    if not source.fill:
        return NO_COUNTS
    value = np.array(source.fill, source.shape_of(cell).dtype)
    return count_voxels(np.broadcast_to(value, part.size[::-1]), part.start)
