"""Decoded chunks of a source are read once, whoever needs them."""

import asyncio

import numpy as np

from dvidpc.cache.held import Hold, make_held
from dvidpc.cache.loading_cache import MISSING
from dvidpc.types import ChunkCoord
from dvidpc.volume.chunk_cache import CachedChunks
from tests.arrays import ARRAY, ArrayChunks

CELL = ChunkCoord(1, 1, 1)
ABSENT = ChunkCoord(0, 0, 0)


async def test_a_chunk_is_decoded_once_for_all_requests(chunks: CachedChunks, source: ArrayChunks) -> None:
    held = make_held()
    found = await asyncio.gather(*(chunks.fetch(CELL, Hold(held)) for _ in range(5)))
    assert source.reads == 1
    for voxels in found:
        assert voxels is not None
        np.testing.assert_array_equal(voxels[0], ARRAY[32:64, 32:64, 32:64])


async def test_an_absent_chunk_is_cached_too(chunks: CachedChunks, source: ArrayChunks) -> None:
    assert chunks.peek(ABSENT) is MISSING
    for _ in range(2):
        assert await chunks.fetch(ABSENT, Hold(make_held())) is None
    assert source.reads == 1
    assert chunks.peek(ABSENT) is None


async def test_a_chunk_that_is_only_loaded_is_not_cached(chunks: CachedChunks, source: ArrayChunks) -> None:
    for _ in range(2):
        assert await chunks.load(CELL) is not None
    assert source.reads == 2
    assert chunks.peek(CELL) is MISSING


async def test_forgotten_chunks_are_read_again(chunks: CachedChunks, source: ArrayChunks) -> None:
    await chunks.fetch(CELL, Hold(make_held()))
    chunks.forget()
    assert chunks.peek(CELL) is MISSING
    await chunks.fetch(CELL, Hold(make_held()))
    assert source.reads == 2
