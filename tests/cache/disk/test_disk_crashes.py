"""`kill -9` at random under load: every byte is right after it, and the disk holds at most the budget."""

import asyncio
import multiprocessing
import os
import random
import signal
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from dvidpc.cache.disk.disk_cache import DiskCache
from dvidpc.cache.disk.upkeep import stats_of, verify
from tests.cache.disk.values import BUDGET, below, entry_of, is_right, name_of

ROUNDS = 50
PROCESSES = 2
NAMES = 2000
SIZE = 40_000


async def serve(path: Path, seed: int, generation: int) -> None:
    """Check what is on disk, then write and read until killed."""
    cache = DiskCache(path, BUDGET)
    await cache.open()
    assert cache.trouble is None
    chosen = random.Random(seed)
    for number in chosen.sample(range(NAMES), 200):
        found = await cache.look_up(name_of(number))
        assert found is None or is_right(number, found)
    while True:
        for number in [chosen.randrange(NAMES) for _ in range(10)]:
            size = chosen.choice((50, SIZE, SIZE, SIZE))
            cache.put(entry_of(number, size, current=generation, generation=generation))
        if chosen.random() < 0.001:
            cache.forget(name_of(chosen.randrange(NAMES))[:16], generation - 5)
        numbers = [chosen.randrange(NAMES) for _ in range(10)]
        for number, found in zip(
            numbers, await asyncio.gather(*(cache.look_up(name_of(one)) for one in numbers)), strict=True
        ):
            assert found is None or is_right(number, found)
        assert cache.trouble is None
        if chosen.random() < 0.3:
            await cache.flush()


def start(path: Path, seed: int, generation: int) -> BaseProcess:
    context = multiprocessing.get_context("fork")
    process = context.Process(target=lambda: asyncio.run(serve(path, seed, generation)), daemon=True)
    process.start()
    return process


def test_a_hundred_crashes(tmp_path: Path) -> None:
    chosen = random.Random(16)
    path = tmp_path / "disk"
    for generation in range(ROUNDS):
        running = [start(path, seed, generation) for seed in range(generation, generation + PROCESSES)]
        for process in running:
            process.join(chosen.uniform(0.02, 0.2))
            assert below(tmp_path) <= BUDGET * 1.01
            assert process.exitcode is None, "it found a wrong byte, or failed"
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join()
        assert below(tmp_path) <= BUDGET * 1.01
    result = verify(path, lambda _done, _total: None)
    stats = stats_of(path)
    assert stats is not None
    assert result.damaged == []
    assert result.checked == stats.entries > 500
    assert sorted(one.name for one in path.iterdir()) == ["dvidpc-cache", "dvidpc-cache.lock"]


def test_a_wrong_byte_ends_the_process(tmp_path: Path) -> None:
    """What the test above relies on."""

    async def write() -> None:
        cache = DiskCache(tmp_path, BUDGET)
        await cache.open()
        for number in range(NAMES):
            cache.put(entry_of(number, 50)._replace(data=b"wrong"))
        await cache.close()

    asyncio.run(write())
    process = start(tmp_path, 0, 1)
    process.join(30)
    assert process.exitcode == 1


@pytest.fixture(autouse=True)
def no_children_left() -> Iterator[None]:
    yield
    for child in multiprocessing.active_children():
        child.kill()
        child.join()
