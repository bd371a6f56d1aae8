"""A disk cache over a bucket in memory, with a clock that only tests move."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from dvidpc.cache.disk.disk_cache import DiskCache
from tests.cache.disk.memory_bucket import MemoryBucket
from tests.waiting import Clock

pytest.register_assert_rewrite("tests.storage.contract")
BUDGET = 64 * 2**20


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.now = 1_700_000_000.0
    return clock


@pytest.fixture
def bucket(clock: Clock) -> MemoryBucket:
    return MemoryBucket(clock)


@pytest_asyncio.fixture
async def cache(tmp_path: Path, clock: Clock) -> AsyncIterator[DiskCache]:
    cache = DiskCache(tmp_path / "disk", BUDGET, clock=clock)
    await cache.open()
    assert cache.trouble is None
    yield cache
    await cache.close()
