"""Blocks of labels cut out of larger chunks: the right voxels, one read a chunk, and little memory."""

import itertools
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.data.instance_opening import make_instances
from dvidpc.data.labelmap import LabelmapData
from dvidpc.errors import FormatError
from dvidpc.formats.dvid.label_payloads import BLOCKS, LZ4
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from dvidpc.types import BlockCoord, Point
from dvidpc.volume.fetching import fetch_blocks
from dvidpc.volume.grid_store import GridStore
from dvidpc.volume.resources import Resources
from tests.label_chunks import draw_cells
from tests.label_payloads import read_block
from tests.label_volumes import LabelScale, cut, write_labels
from tests.opened import SETTINGS, load_plan
from tests.volumes import XYZ, sharding

CELLS = draw_cells(60, Point(200, 150, 100))
BOX = [BlockCoord(x, y, z) for z, y, x in itertools.product(range(-1, 3), repeat=3)]


def make_cache(nbytes: int) -> LoadingCache:
    return LoadingCache(nbytes, absence_ttl_s=30, clock=time.monotonic)


@pytest.fixture
def resources() -> Iterator[Callable[[int], Resources]]:
    """Return a function that makes resources with a cache of so many bytes."""
    with ThreadPoolExecutor(2) as pool:
        yield lambda nbytes: Resources(make_cache(nbytes), make_cache(10**7), pool)


@asynccontextmanager
async def open_labels(directory: Path, resources: Resources) -> AsyncIterator[LabelmapData]:
    """Open the segmentation in *directory* as the server does."""
    store = await open_store(BucketAccess(parse_ref(str(directory))), UpstreamLimits(), environ={})
    plan = await load_plan(store)
    [instance] = make_instances(plan, SETTINGS, "", store, "0" * 32, resources)
    assert isinstance(instance.data, LabelmapData)
    try:
        yield instance.data
    finally:
        await store.close()


async def blocks_of(grid: GridStore, compression: str = "blocks") -> dict[BlockCoord, bytes]:
    payload = BLOCKS if compression == "blocks" else LZ4
    return {block: data async for block, data in fetch_blocks(grid, BOX, payload)}


def finest(data: LabelmapData) -> GridStore:
    return data.levels[0].grid


@pytest.mark.parametrize("memory", [0, 10**8])
@pytest.mark.parametrize(
    ("chunk_size", "sub_block", "offset", "dtype"),
    [
        ((128, 128, 64), (8, 8, 8), (0, 0, 0), "uint64"),
        ((128, 128, 64), (8, 8, 8), (-64, 0, 64), "uint32"),
        ((128, 64, 128), (16, 16, 2), (0, 0, 0), "uint64"),
        ((256, 256, 128), (8, 8, 8), (-72, -8, -16), "uint64"),  # blocks start inside sub-blocks' grid
        ((256, 256, 128), (8, 8, 8), (-70, -3, -16), "uint64"),  # blocks cut sub-blocks
        ((96, 128, 128), (8, 8, 8), (0, 0, 0), "uint64"),  # some blocks have two chunks
        ((128, 128, 128), (7, 9, 8), (0, 0, 0), "uint32"),
        ((64, 64, 64), (8, 8, 8), (0, 0, 0), "uint64"),
    ],
)
async def test_blocks_of_any_chunks_are_what_was_written(
    memory: int,
    chunk_size: XYZ,
    sub_block: XYZ,
    offset: XYZ,
    dtype: str,
    tmp_path: Path,
    resources: Callable[[int], Resources],
) -> None:
    labels = CELLS.astype(dtype)
    write_labels(tmp_path, LabelScale(labels, chunk_size=chunk_size, sub_block=sub_block, offset=offset))
    async with open_labels(tmp_path, resources(memory)) as data:
        found = await blocks_of(finest(data))
    for block in BOX:
        start = (64 * block.x, 64 * block.y, 64 * block.z)
        expected = cut(labels, offset, start, (64, 64, 64))
        assert block in found or not expected.any()
        assert block not in found or (read_block(found[block], "blocks") == expected).all()


@pytest.mark.parametrize("spec", [None, sharding(data_encoding="gzip")], ids=["files", "shards"])
async def test_a_chunk_is_read_once_and_kept_encoded(
    spec: dict[str, object] | None, tmp_path: Path, resources: Callable[[int], Resources]
) -> None:
    chunk_size = (128, 128, 128)
    write_labels(tmp_path, LabelScale(CELLS, chunk_size=chunk_size, sharding=spec))
    for memory in (0, 10**8):
        mine = resources(memory)
        async with open_labels(tmp_path, mine) as data:
            found = await blocks_of(finest(data))
            assert len(found) == 3 * 3 * 2
            assert mine.payloads.counts.misses - len(found) <= 4, "no chunk is read twice"
            assert mine.held.nbytes == 0
    payloads = sum(map(len, found.values()))
    assert mine.payloads.nbytes - payloads < 8 * CELLS.size // 4


async def test_single_labels_are_read_from_the_same_views(
    tmp_path: Path, resources: Callable[[int], Resources]
) -> None:
    write_labels(tmp_path, LabelScale(CELLS, chunk_size=(128, 128, 64)))
    mine = resources(10**8)
    async with open_labels(tmp_path, mine) as data:
        await blocks_of(finest(data))
        before = mine.payloads.counts.misses
        lookup = data.levels[0].lookup
        assert lookup is not None
        for x, y, z in ((0, 0, 0), (100, 90, 70), (127, 5, 99)):
            assert await lookup.label_at(Point(x, y, z)) == int(CELLS[z, y, x])
        assert mine.payloads.counts.misses == before
        data.forget()
        assert mine.payloads.nbytes == 0


async def test_a_damaged_chunk_fails_every_block_of_it(
    tmp_path: Path, resources: Callable[[int], Resources]
) -> None:
    scale = LabelScale(CELLS, chunk_size=(128, 128, 64))
    write_labels(tmp_path, scale)
    file = tmp_path / "s0" / scale.chunk_name((0, 0, 0))
    file.write_bytes(file.read_bytes()[:-8])
    async with open_labels(tmp_path, resources(10**8)) as data:
        for block in BOX:
            if block.z == 0 and min(block) >= 0 and max(block) < 2:
                with pytest.raises(FormatError, match="0-128_0-128_0-64"):
                    await finest(data).fetch(block, BLOCKS)
        assert await finest(data).fetch(BlockCoord(2, 0, 0), BLOCKS) is not None


async def test_a_hole_in_one_copy_is_cut_out_of_the_next(
    tmp_path: Path, resources: Callable[[int], Resources]
) -> None:
    write_labels(tmp_path, LabelScale(CELLS, chunk_size=(128, 128, 64), holes=[(0, 0, 0)]))
    write_labels(tmp_path / "other", LabelScale(CELLS, chunk_size=(32, 64, 64)))
    for file in (tmp_path / "other" / "s0").iterdir():
        file.rename(tmp_path / "s0" / file.name)
    info = json.loads((tmp_path / "info").read_text())
    info["scales"][0]["chunk_sizes"].append([32, 64, 64])
    (tmp_path / "info").write_text(json.dumps(info))
    async with open_labels(tmp_path, resources(10**8)) as data:
        data_of = await finest(data).fetch(BlockCoord(1, 1, 0), BLOCKS)
    assert data_of is not None
    assert (read_block(data_of, "blocks") == np.ascontiguousarray(CELLS[:64, 64:128, 64:128])).all()
