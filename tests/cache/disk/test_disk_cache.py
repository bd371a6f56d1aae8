"""The disk cache on the event loop: batches, bounds, use times, cancellation, and its end."""

import asyncio
import contextlib
import multiprocessing
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dvidpc.cache.disk import lookup_queue
from dvidpc.cache.disk.disk_cache import DiskCache
from dvidpc.cache.disk.upkeep import clear, stats_of, verify
from tests.cache.disk.values import BUDGET, below, data_of, entry_of, name_of, watching
from tests.waiting import Clock, soon


def ignore(_done: int, _total: int) -> None:
    """Take progress for granted."""


async def test_lookups_of_one_turn_are_one_batch_and_each_gets_its_own(cache: DiskCache) -> None:
    for number in range(20):
        cache.put(entry_of(number, 1000))
    await cache.flush()
    found = await asyncio.gather(*(cache.look_up(name_of(number % 25)) for number in range(100)))
    assert [one.data if one else None for one in found] == [
        data_of(number % 25, 1000) if number % 25 < 20 else None for number in range(100)
    ]


async def test_a_cancelled_lookup_does_not_hurt_the_others(cache: DiskCache) -> None:
    for number in range(4):
        cache.put(entry_of(number, 1000))
    await cache.flush()
    lookups = [asyncio.ensure_future(cache.look_up(name_of(number % 4))) for number in range(8)]
    await asyncio.sleep(0)
    for one in lookups[::2]:
        one.cancel()
    found = await asyncio.gather(*lookups[1::2])
    assert [one.data if one else b"" for one in found] == [data_of(number, 1000) for number in (1, 3, 1, 3)]
    assert all(one.cancelled() for one in lookups[::2])


async def test_lookups_end_when_the_cache_is_closed(tmp_path: Path, clock: Clock) -> None:
    cache = DiskCache(tmp_path / "disk", BUDGET, clock=clock)
    await cache.open()
    for number in range(50):
        cache.put(entry_of(number, 100_000))
    await cache.flush()
    lookups = [asyncio.ensure_future(cache.look_up(name_of(number))) for number in range(50)]
    await asyncio.sleep(0)
    await cache.close()
    for number, one in enumerate(await asyncio.gather(*lookups)):
        assert one is None or one.data == data_of(number, 100_000)
    assert await cache.look_up(name_of(0)) is None
    cache.put(entry_of(0, 10))
    await cache.flush()
    await cache.close()


async def test_what_is_queued_is_written_at_the_end(tmp_path: Path, clock: Clock) -> None:
    for number in range(10):
        cache = DiskCache(tmp_path / "disk", BUDGET, clock=clock)
        await cache.open()
        cache.put(entry_of(2 * number, 100))
        await asyncio.sleep(0.01 * number)
        cache.put(entry_of(2 * number + 1, 100))
        await cache.close()
    stats = stats_of(tmp_path / "disk")
    assert stats is not None
    assert stats.entries == 20


async def test_the_queue_is_bounded(tmp_path: Path, clock: Clock) -> None:
    cache = DiskCache(tmp_path / "disk", 2**30, clock=clock)
    await cache.open()
    for number in range(100):
        cache.put(entry_of(number, 2**20))
    assert cache.counts.dropped == 37
    await cache.flush()
    assert cache.entries == 63
    await cache.close()


async def test_newer_bytes_replace_older_ones_and_not_the_reverse(cache: DiskCache) -> None:
    for current in (5.0, 7.0, 6.0):
        cache.put(entry_of(0, 10, current)._replace(data=f"{current}".encode()))
        await cache.flush()
    found = await cache.look_up(name_of(0))
    assert found is not None
    assert (found.data, found.current) == (b"7.0", 7.0)
    assert cache.entries == 1


@pytest.mark.parametrize("size", [300, 40_000, 600_000])
async def test_the_disk_holds_no_more_than_the_budget_at_any_time(
    size: int, tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    cache = DiskCache(tmp_path / "disk", BUDGET, clock=clock)
    await cache.open()
    sizes: list[int] = []
    total = 200 * 2**20 if size > 1000 else 30_000 * size
    with watching(tmp_path, sizes):
        for start in range(0, total // size, 500):
            for number in range(start, start + 500):
                cache.put(entry_of(number, size))
                if number % 50 == 0:
                    await cache.flush()
            await cache.flush()
    assert len(sizes) > 50
    assert max(sizes) <= BUDGET * 1.01
    assert size < 1000 or max(sizes) > BUDGET * 0.8
    assert (cache.counts.dropped, cache.counts.errors, cache.trouble) == (0, 0, None)
    assert (cache.counts.evictions > 0) == (size > 1000)
    last = total // size // 500 * 500 + 499 if total // size % 500 else total // size - 1
    found = await cache.look_up(name_of(last))
    assert found is not None
    await cache.close()
    assert below(tmp_path) <= BUDGET
    assert caplog.records == []


async def test_what_is_used_stays(cache: DiskCache, clock: Clock) -> None:
    """Least recently used first, within an eighth of the age of the oldest."""
    for number in range(4000):
        cache.put(entry_of(number, 40_000))
        clock.now += 10
        if number % 100 == 0:
            await cache.look_up(name_of(0))
            await cache.flush()
    await cache.flush()
    assert cache.counts.evictions > 2000
    assert await cache.look_up(name_of(0)) is not None
    assert await cache.look_up(name_of(1)) is None
    assert await cache.look_up(name_of(3999)) is not None


async def test_a_hit_writes_nothing_while_it_was_used_lately(cache: DiskCache, clock: Clock) -> None:
    cache.put(entry_of(0, 100))
    await cache.flush()
    clock.now += 599
    await cache.look_up(name_of(0))
    await cache.flush()
    used = await cache.look_up(name_of(0))
    clock.now += 2
    await cache.look_up(name_of(0))
    await cache.flush()
    again = await cache.look_up(name_of(0))
    assert used is not None
    assert again is not None
    assert (clock.now - used.used, clock.now - again.used) == (601, 0)


def write_many(path: Path, seed: int) -> None:
    async def run() -> None:
        cache = DiskCache(path, BUDGET)
        await cache.open()
        for start in range(0, 1000, 20):
            for number in range(start, start + 20):
                cache.put(entry_of((number * 7 + seed) % 1500, 40_000))
            await cache.flush()
            for number in range(start, start + 20):
                found = await cache.look_up(name_of((number * 7 + seed) % 1500))
                assert found is None or found.data == data_of((number * 7 + seed) % 1500, 40_000)
        assert cache.trouble is None
        assert cache.counts.dropped < 200
        await cache.close()

    asyncio.run(run())


def test_processes_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writing = [context.Process(target=write_many, args=(tmp_path / "disk", seed)) for seed in range(3)]
    sizes: list[int] = []
    for one in writing:
        one.start()
    with watching(tmp_path, sizes):
        for one in writing:
            one.join()
    assert [one.exitcode for one in writing] == [0] * 3
    assert max(sizes) <= BUDGET * 1.01
    result = verify(tmp_path / "disk", ignore)
    stats = stats_of(tmp_path / "disk")
    assert stats is not None
    assert result.damaged == []
    assert result.checked == stats.entries > 1000


@pytest.mark.parametrize("what", ["database", "directory", "all", "clear"])
async def test_deleted_while_it_runs(
    what: str, cache: DiskCache, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(10):
        cache.put(entry_of(number, 1000))
    await cache.flush()
    match what:
        case "database":
            (tmp_path / "disk/dvidpc-cache/cache.sqlite").unlink()
        case "directory":
            shutil.rmtree(tmp_path / "disk/dvidpc-cache")
        case "all":
            shutil.rmtree(tmp_path / "disk")
        case "clear":
            clear(tmp_path / "disk")
    assert await cache.look_up(name_of(0)) is None
    cache.put(entry_of(1, 1000))
    await cache.flush()
    assert cache.entries == 1
    assert await cache.look_up(name_of(0)) is None
    found = await cache.look_up(name_of(1))
    assert found is not None
    assert found.data == data_of(1, 1000)
    assert [record.getMessage().partition(": ")[0] for record in caplog.records] == [
        "disk cache starts empty"
    ]


async def test_a_damaged_entry_is_deleted_and_the_others_stay(
    cache: DiskCache, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(10):
        cache.put(entry_of(number, 1000))
    await cache.flush()
    with closing(
        sqlite3.connect(tmp_path / "disk/dvidpc-cache/cache.sqlite", isolation_level=None)
    ) as connection:
        connection.execute("UPDATE contents SET data = zeroblob(1000) WHERE id = 4")
    found = await asyncio.gather(*(cache.look_up(name_of(number)) for number in range(10)))
    assert [one is not None for one in found] == [number != 3 for number in range(10)]
    await cache.flush()
    assert (cache.entries, cache.counts.errors, cache.trouble) == (9, 1, None)
    assert "damaged entry" in caplog.text


async def test_verify_names_and_deletes_what_is_damaged(cache: DiskCache, tmp_path: Path) -> None:
    for number in range(200):
        cache.put(entry_of(number, 1000))
    await cache.flush()
    steps: list[tuple[int, int]] = []
    with closing(
        sqlite3.connect(tmp_path / "disk/dvidpc-cache/cache.sqlite", isolation_level=None)
    ) as connection:
        connection.execute("UPDATE entries SET version = 'x' WHERE id = 4")
        connection.execute("UPDATE contents SET data = 3 WHERE id = 5")
    result = verify(tmp_path / "disk", lambda done, total: steps.append((done, total)))
    assert (result.checked, len(result.damaged)) == (200, 2)
    assert all("memory://bucket" in name for name in result.damaged)
    assert steps == [(64, 200), (128, 200), (192, 200), (200, 200)]
    assert verify(tmp_path / "disk", ignore).damaged == []
    stats = stats_of(tmp_path / "disk")
    assert stats is not None
    assert (stats.entries, stats.stores[0].entries, stats.stores[0].nbytes) == (198, 198, 198_000)


async def test_a_disk_that_hangs_is_left_alone(
    cache: DiskCache, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A lock stands in for it."""
    monkeypatch.setattr(lookup_queue, "PATIENCE_S", 0.05)
    cache.put(entry_of(0, 1000))
    await cache.flush()
    assert await cache.look_up(name_of(0)) is not None
    with contextlib.ExitStack() as held:
        for one in cache.lookups.connections:
            held.enter_context(one.lock)
        assert await cache.look_up(name_of(0)) is None
        async with asyncio.timeout(0.04):
            assert [await cache.look_up(name_of(0)) for _ in range(9)] == [None] * 9
    assert cache.counts.errors == 1
    assert "does not answer" in caplog.text
    for _ in range(100):
        await asyncio.sleep(0.01)
        if await cache.look_up(name_of(0)) is not None:
            return
    raise AssertionError("it is not used again")


async def test_numbers_are_of_all_processes(cache: DiskCache, tmp_path: Path, clock: Clock) -> None:
    other = DiskCache(tmp_path / "disk", BUDGET, clock=clock)
    await other.open()
    cache.put(entry_of(0, 100_000))
    await cache.flush()
    await other.flush()
    assert (other.entries, cache.entries) == (1, 1)
    assert other.nbytes == cache.nbytes > 100_000
    await other.close()


async def test_nothing_is_opened_before_it_has_to_be(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path / "disk", BUDGET)
    assert await cache.look_up(name_of(0)) is None
    await cache.flush()
    await cache.close()
    assert list(tmp_path.iterdir()) == []


async def test_the_event_loop_is_not_blocked_by_a_writer(cache: DiskCache, tmp_path: Path) -> None:
    with closing(
        sqlite3.connect(tmp_path / "disk/dvidpc-cache/cache.sqlite", isolation_level=None)
    ) as connection:
        connection.execute("BEGIN IMMEDIATE")
        cache.put(entry_of(0, 1000))
        writing = asyncio.ensure_future(cache.flush())
        for _ in range(20):
            await asyncio.sleep(0.005)
        assert not writing.done()
        assert await cache.look_up(name_of(0)) is not None, "what is being written"
        connection.execute("ROLLBACK")
        await writing
    await soon(lambda: cache.entries == 1)
    assert (cache.trouble, cache.counts.dropped) == (None, 0)
