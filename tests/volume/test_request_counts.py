"""How many requests a bucket gets. Unlike times, counts are exact and can be asserted."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path

import pytest

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.formats.payloads import JPEG
from dvidpc.storage.base import Blob, BucketAccess, ObjectStore, UpstreamLimits
from dvidpc.storage.coalesce import CoalescingStore
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from dvidpc.storage.store_above import StoreAbove
from dvidpc.storage.versions import Version
from dvidpc.types import BlockCoord, ByteRange
from dvidpc.volume.fetching import fetch_blocks
from dvidpc.volume.grid_store import GridStore
from dvidpc.volume.resources import Resources
from tests.opened import open_images
from tests.volumes import VolumeSpec, sharding, write_volume

SPEC = VolumeSpec(
    size=(512, 512, 128),
    encoding="jpeg",
    sharding=sharding(preshift_bits=9, minishard_bits=2, shard_bits=1),
)
PLANE = [BlockCoord(x, y, 1) for y in range(8) for x in range(8)]


class CountingStore(StoreAbove):
    """A store that counts the requests to another."""

    def __init__(self, store: ObjectStore) -> None:
        super().__init__(store)
        self.ranges: Counter[tuple[str, ByteRange]] = Counter()
        self.gets: Counter[str] = Counter()
        self.tails: Counter[str] = Counter()

    async def get(self, key: str, *, max_size: int, is_metadata: bool = False) -> Blob | None:
        self.gets[key] += 1
        return await super().get(key, max_size=max_size, is_metadata=is_metadata)

    async def get_range(
        self, key: str, byte_range: ByteRange, *, version: Version | None = None
    ) -> Blob | None:
        self.ranges[key, byte_range] += 1
        return await super().get_range(key, byte_range, version=version)

    async def get_tail(self, key: str, size: int) -> Blob | None:
        self.tails[key] += 1
        return await super().get_tail(key, size)


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("volume")
    write_volume(directory, SPEC)
    return directory


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


async def open_counted(
    directory: Path, pool: ThreadPoolExecutor, memory: int
) -> tuple[GridStore, CountingStore]:
    access = BucketAccess(ref=parse_ref(f"file://{directory}"))
    counting = CountingStore(await open_store(access, UpstreamLimits(), environ=os.environ))
    payloads, indexes = (LoadingCache(memory, absence_ttl_s=30, clock=time.monotonic) for _ in range(2))
    store = CoalescingStore(counting)
    images = await open_images(store, Resources(payloads, indexes, pool))
    counting.gets.clear()
    return images[0].grid, counting


async def fetch_all(grid: GridStore, blocks: list[BlockCoord]) -> list[tuple[BlockCoord, bytes]]:
    found = fetch_blocks(grid, blocks, JPEG)
    async with aclosing(found):
        return [one async for one in found]


async def test_a_cold_plane_costs_two_index_reads_and_a_quarter_read_a_block(
    volume: Path, pool: ThreadPoolExecutor
) -> None:
    grid, counting = await open_counted(volume, pool, memory=2**26)
    assert len(await fetch_all(grid, PLANE)) == 64
    indexes = 2
    assert sum(counting.ranges.values()) - indexes <= 0.35 * 64


async def test_a_plane_next_to_a_known_one_needs_no_index_read(
    volume: Path, pool: ThreadPoolExecutor
) -> None:
    grid, counting = await open_counted(volume, pool, memory=2**26)
    await fetch_all(grid, PLANE)
    counting.ranges.clear()
    assert len(await fetch_all(grid, [block._replace(z=0) for block in PLANE])) == 64
    assert sum(counting.ranges.values()) <= 0.35 * 64
    counting.ranges.clear()
    await fetch_all(grid, PLANE)
    assert not counting.ranges


@pytest.mark.parametrize("memory", [0, 2**20, 2**26])
async def test_identical_concurrent_requests_read_once(
    volume: Path, pool: ThreadPoolExecutor, memory: int
) -> None:
    grid, counting = await open_counted(volume, pool, memory)
    answers = await asyncio.gather(*(fetch_all(grid, PLANE[:8]) for _ in range(200)))
    assert all(answer == answers[0] for answer in answers)
    assert set(counting.ranges.values()) == {1}


async def test_a_chunk_that_many_blocks_share_is_read_once(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    write_volume(tmp_path, VolumeSpec(size=(256, 256, 64), chunk_size=(256, 256, 32), encoding="jpeg"))
    grid, counting = await open_counted(tmp_path, pool, memory=2**26)
    assert len(await fetch_all(grid, [BlockCoord(x, y, 0) for y in range(4) for x in range(4)])) == 16
    assert sorted(counting.gets.values()) == [1, 1]
