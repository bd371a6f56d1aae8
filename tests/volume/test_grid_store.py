"""The grid store makes whole blocks of whatever a source has, and counts what it finds in its cache."""

import numpy as np

from dvidpc.cache.loading_cache import MISSING, LoadingCache
from dvidpc.counters import TALLY, Tally
from dvidpc.formats.payloads import JPEG, UNCOMPRESSED
from dvidpc.types import BlockCoord
from dvidpc.volume.fetching import fetch_blocks
from dvidpc.volume.grid_store import GridStore
from tests.arrays import ARRAY, ArrayChunks

FOUR = [BlockCoord(x, y, 0) for x in (0, 1) for y in (-1, 0)]
OUTSIDE = BlockCoord(9, 9, 9)


async def test_a_block_is_assembled_from_the_chunks_it_touches_and_padded(grid: GridStore) -> None:
    expected = np.zeros((64, 64, 64), "<u2")
    expected[:, :, :36] = ARRAY[:64, 20:84, 54:90]
    assert await grid.fetch(BlockCoord(1, 0, 0), UNCOMPRESSED) == expected.tobytes()


async def test_a_block_that_no_chunk_touches_is_absent_and_nothing_is_read(
    grid: GridStore, source: ArrayChunks
) -> None:
    assert await grid.fetch(OUTSIDE, UNCOMPRESSED) is None
    assert source.reads == 0


async def test_sixteen_bit_voxels_have_no_jpeg(grid: GridStore) -> None:
    assert grid.default_payload is UNCOMPRESSED
    assert not grid.can_encode(JPEG)


async def test_each_cached_block_counts_one_hit(grid: GridStore, cache: LoadingCache) -> None:
    for block in FOUR[:3]:
        await grid.fetch(block, UNCOMPRESSED)
    hits, tally = cache.counts.hits, Tally("one")
    TALLY.set(tally)
    assert grid.peek_all(FOUR, UNCOMPRESSED, 2**30) is None
    assert (cache.counts.hits - hits, tally.hits) == (0, 0), "what is looked at is not used yet"
    async for _ in fetch_blocks(grid, FOUR[:3], UNCOMPRESSED):
        pass
    assert (cache.counts.hits - hits, tally.hits) == (3, 3)
    assert [block for block, _ in grid.peek_all(FOUR[:3], UNCOMPRESSED, 2**30) or []] == FOUR[:3]
    assert tally.hits == 6


async def test_blocks_beyond_the_size_limit_count_no_hit(grid: GridStore, cache: LoadingCache) -> None:
    await grid.fetch(FOUR[0], UNCOMPRESSED)
    hits = cache.counts.hits
    assert grid.peek_all(FOUR[:1], UNCOMPRESSED, grid.block_nbytes - 1) is None
    assert cache.counts.hits == hits


async def test_a_replaced_source_drops_blocks_and_chunks(grid: GridStore, source: ArrayChunks) -> None:
    await grid.fetch(FOUR[0], UNCOMPRESSED)
    reads = source.reads
    grid.forget()
    assert grid.peek(FOUR[0], UNCOMPRESSED) is MISSING
    await grid.fetch(FOUR[0], UNCOMPRESSED)
    assert source.reads == 2 * reads
