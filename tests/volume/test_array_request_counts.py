"""How many requests blocks of arrays cost: an index for each shard, and few reads for many inner chunks."""

import asyncio
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.formats.payloads import UNCOMPRESSED
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.coalesce import CoalescingStore
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from dvidpc.types import BlockCoord
from dvidpc.volume.cutout import read_box
from dvidpc.volume.grid_store import GridStore
from dvidpc.volume.resources import Resources
from tests.array_volumes import levels_of, tissue, write_ome_zarr
from tests.opened import SETTINGS, open_images
from tests.volume.test_request_counts import CountingStore, fetch_all

VOXELS = tissue((128, 512, 512), seed=2)
PLANE = [BlockCoord(x, y, 0) for y in range(8) for x in range(8)]


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("arrays")
    write_ome_zarr(directory / "sharded", [VOXELS], version="0.5", shard=(2, 4, 4))
    write_ome_zarr(directory / "small", [VOXELS], version="0.5", chunk=(32, 32, 32), shard=(4, 8, 8))
    write_ome_zarr(directory / "plain", levels_of(VOXELS, 3))
    return directory


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


async def open_counted(directory: Path, pool: ThreadPoolExecutor) -> tuple[GridStore, CountingStore]:
    access = BucketAccess(ref=parse_ref(f"file://{directory}"), has_suffixes=False)
    counting = CountingStore(await open_store(access, UpstreamLimits(), environ=os.environ))
    payloads, indexes = (LoadingCache(2**27, absence_ttl_s=30, clock=time.monotonic) for _ in range(2))
    settings = replace(SETTINGS, engine="zarr")
    images = await open_images(CoalescingStore(counting), Resources(payloads, indexes, pool), settings)
    return images[0].grid, counting


async def test_a_volume_is_opened_by_two_requests_a_level_and_a_few(
    volume: Path, pool: ThreadPoolExecutor
) -> None:
    _, counting = await open_counted(volume / "plain", pool)
    assert sum(counting.gets.values()) <= 2 * 3 + 4
    assert not counting.ranges
    assert not counting.tails


async def test_a_block_that_is_an_inner_chunk_costs_two_reads_cold_and_one_warm(
    volume: Path, pool: ThreadPoolExecutor
) -> None:
    grid, counting = await open_counted(volume / "sharded", pool)
    counting.gets.clear()
    assert await grid.fetch(BlockCoord(0, 0, 0), UNCOMPRESSED) is not None
    assert (sum(counting.tails.values()), sum(counting.ranges.values())) == (1, 1)
    assert await grid.fetch(BlockCoord(3, 3, 1), UNCOMPRESSED) is not None
    assert (sum(counting.tails.values()), sum(counting.ranges.values())) == (1, 2)
    assert not counting.gets


@pytest.mark.parametrize("name", ["sharded", "small"])
async def test_a_plane_costs_one_index_a_shard_and_joins_neighbours(
    volume: Path, pool: ThreadPoolExecutor, name: str
) -> None:
    grid, counting = await open_counted(volume / name, pool)
    assert len(await fetch_all(grid, PLANE)) == 64
    assert sum(counting.tails.values()) == 4
    assert sum(counting.ranges.values()) <= 0.5 * 64
    counting.ranges.clear()
    await fetch_all(grid, [block._replace(z=1) for block in PLANE])
    assert sum(counting.tails.values()) == 4
    assert sum(counting.ranges.values()) <= 0.5 * 64


async def test_concurrent_requests_read_once(volume: Path, pool: ThreadPoolExecutor) -> None:
    grid, counting = await open_counted(volume / "small", pool)
    answers = await asyncio.gather(*(fetch_all(grid, PLANE[:4]) for _ in range(50)))
    assert all(answer == answers[0] for answer in answers)
    assert set(counting.ranges.values()) == {1}
    assert set(counting.tails.values()) == {1}


async def test_missing_chunks_are_asked_for_once_and_by_one_name(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    voxels = VOXELS.copy()
    voxels[:64, :64, :64] = 0
    write_ome_zarr(tmp_path / "em", [voxels])
    grid, counting = await open_counted(tmp_path / "em", pool)
    counting.gets.clear()
    for _ in range(3):
        assert await grid.fetch(BlockCoord(0, 0, 0), UNCOMPRESSED) is None
    assert counting.gets == {"s0/0/0/0": 1}
    box = await read_box(grid, grid.grid.box)
    assert box is not None
    assert np.array_equal(box[0], voxels)
