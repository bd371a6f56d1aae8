"""Prefetches run in the background, a few at a time, and end with the server."""

import asyncio

import pytest

from dvidpc.cache.loading_cache import MISSING
from dvidpc.formats.payloads import UNCOMPRESSED
from dvidpc.types import BlockCoord, ChunkCoord
from dvidpc.volume.grid_store import GridStore
from dvidpc.volume.prefetch import MAX_UNDER_WAY, Prefetcher
from tests.arrays import ArrayChunks
from tests.waiting import soon

BLOCK = BlockCoord(1, 0, 0)


async def test_announced_blocks_are_cached(grid: GridStore) -> None:
    prefetcher = Prefetcher()
    assert prefetcher.start(grid, [BLOCK], UNCOMPRESSED)
    await soon(lambda: grid.peek(BLOCK, UNCOMPRESSED) is not MISSING)
    await prefetcher.close()


async def test_prefetches_beyond_the_bound_are_dropped_and_closing_cancels_the_rest(
    grid: GridStore, source: ArrayChunks, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging: set[ChunkCoord] = set()

    async def hang(cell: ChunkCoord) -> bytes | None:
        hanging.add(cell)
        try:
            await asyncio.Event().wait()
        finally:
            hanging.discard(cell)
        return None

    monkeypatch.setattr(source, "read", hang)
    prefetcher = Prefetcher()
    for _ in range(MAX_UNDER_WAY):
        assert prefetcher.start(grid, [BLOCK], UNCOMPRESSED)
    assert not prefetcher.start(grid, [BLOCK], UNCOMPRESSED)
    await soon(lambda: len(hanging) > 0)
    await prefetcher.close()
    await soon(lambda: not hanging)
    assert prefetcher.start(grid, [], UNCOMPRESSED)
    await prefetcher.close()
