"""The blocks of one request arrive in its order; one that fails ends the request or is left out."""

import time
from contextlib import aclosing

import pytest

from dvidpc.cache.loading_cache import MISSING, LoadingCache
from dvidpc.counters import TALLY, Tally
from dvidpc.errors import FormatError, StoreError
from dvidpc.formats.payloads import UNCOMPRESSED
from dvidpc.types import BlockCoord, ChunkCoord
from dvidpc.volume.fetching import fetch_blocks, warm
from dvidpc.volume.grid_store import GridStore
from dvidpc.volume.omission import Omission
from tests.arrays import ArrayChunks

BLOCKS = [BlockCoord(x, y, z) for z in (1, 0) for y in (0, -1) for x in (1, 0)]
OUTSIDE = BlockCoord(9, 9, 9)
DAMAGED = ChunkCoord(2, 2, 2)
"""A chunk that only one of BLOCKS needs: (1, 0, 1)."""


def damage(source: ArrayChunks, monkeypatch: pytest.MonkeyPatch) -> None:
    read = source.read

    async def read_damaged(cell: ChunkCoord) -> bytes | None:
        return b"cut off" if cell == DAMAGED else await read(cell)

    monkeypatch.setattr(source, "read", read_damaged)


async def fetched(
    grid: GridStore, blocks: list[BlockCoord], *, omission: Omission | None = None
) -> list[BlockCoord]:
    return [block async for block, _ in fetch_blocks(grid, blocks, UNCOMPRESSED, omission=omission)]


def patient(pauses: list[float]) -> Omission:
    """Has no time limit that matters, and appends its pauses to *pauses* instead of sleeping."""

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    return Omission("lowtis", "em", time.monotonic() + 60, sleep=sleep)


async def test_blocks_come_in_the_order_of_the_request_with_duplicates(grid: GridStore) -> None:
    wanted = [*BLOCKS, BLOCKS[0]]
    assert await fetched(grid, wanted) == wanted
    assert await fetched(grid, wanted[::-1]) == wanted[::-1]


async def test_absent_blocks_are_left_out(grid: GridStore) -> None:
    assert await fetched(grid, [OUTSIDE, BLOCKS[0], OUTSIDE]) == [BLOCKS[0]]


async def test_a_block_that_fails_ends_the_request(
    grid: GridStore, source: ArrayChunks, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(source, monkeypatch)
    with pytest.raises(FormatError, match="truncated"):
        await fetched(grid, BLOCKS)


async def test_a_block_that_fails_is_left_out_where_the_client_could_not_bear_an_error(
    grid: GridStore, source: ArrayChunks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    damage(source, monkeypatch)
    tally = Tally("one")
    TALLY.set(tally)
    assert await fetched(grid, BLOCKS, omission=patient([])) == BLOCKS[1:]
    assert tally.omitted == 1
    [record] = caplog.records
    assert record.getMessage().startswith("block left out of an answer: em 1,0,1 for lowtis: ")


async def test_blocks_that_fail_for_a_while_are_all_delivered_in_order(
    grid: GridStore, source: ArrayChunks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pauses: list[float] = []
    read = source.read

    async def read_while_down(cell: ChunkCoord) -> bytes | None:
        if len(pauses) < 3:
            raise StoreError("the bucket is down")
        return await read(cell)

    monkeypatch.setattr(source, "read", read_while_down)
    assert await fetched(grid, [*BLOCKS, BLOCKS[0]], omission=patient(pauses)) == [*BLOCKS, BLOCKS[0]]
    assert len(pauses) == 3  # the first block waited, and the others were retried with it
    assert caplog.records == []


async def test_a_block_that_stays_broken_does_not_use_up_the_patience_with_the_others(
    grid: GridStore, source: ArrayChunks, monkeypatch: pytest.MonkeyPatch
) -> None:
    tally = Tally("one")
    TALLY.set(tally)
    now = 0.0
    read = source.read

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    async def read_partly(cell: ChunkCoord) -> bytes | None:
        if cell == DAMAGED or now < 20:
            raise StoreError("the bucket is down")
        return await read(cell)

    monkeypatch.setattr(source, "read", read_partly)
    omission = Omission("lowtis", "em", 100, clock=lambda: now, sleep=sleep)
    assert await fetched(grid, BLOCKS, omission=omission) == BLOCKS[1:]
    assert tally.omitted == 1
    assert 90 < now < 100


async def test_a_request_that_stops_early_gives_up_its_loads_and_holds_nothing(
    grid: GridStore, cache: LoadingCache
) -> None:
    blocks = fetch_blocks(grid, BLOCKS, UNCOMPRESSED)
    async with aclosing(blocks):
        async for _ in blocks:
            break
    hits = cache.counts.hits
    assert await fetched(grid, BLOCKS) == BLOCKS
    assert cache.counts.hits > hits


async def test_warming_goes_on_after_a_block_that_fails(
    grid: GridStore, source: ArrayChunks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    damage(source, monkeypatch)
    await warm(grid, BLOCKS, UNCOMPRESSED)
    assert grid.peek_all(BLOCKS[1:], UNCOMPRESSED, 2**30) is not None
    assert caplog.records == []


async def test_warmed_blocks_are_cached(grid: GridStore) -> None:
    assert grid.peek(BLOCKS[0], UNCOMPRESSED) is MISSING
    await warm(grid, BLOCKS, UNCOMPRESSED)
    assert grid.peek_all(BLOCKS, UNCOMPRESSED, 2**30) is not None
