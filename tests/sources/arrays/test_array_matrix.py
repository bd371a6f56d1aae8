"""Arrays of every format, writer, compression and data type through the grid store: blocks and cut-outs."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.data.image import ImageData
from dvidpc.formats.grid import Box
from dvidpc.formats.payloads import UNCOMPRESSED
from dvidpc.sources.plan import VolumeSettings
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from dvidpc.types import BlockCoord, Point
from dvidpc.volume.cutout import stream_box
from dvidpc.volume.resources import Resources
from tests.array_stores import blocks_around, cut, engine_of, is_equal, offset_of
from tests.drawn_arrays import WRITERS, WrittenArray, matrix, write_array
from tests.opened import open_images

SIDE = 16


def make_resources(pool: ThreadPoolExecutor) -> Resources:
    payloads, indexes = (LoadingCache(2**24, absence_ttl_s=30, clock=lambda: 0) for _ in range(2))
    return Resources(payloads, indexes, pool)


@pytest.mark.parametrize("format_name", WRITERS)
async def test_every_block_and_cut_out_of_the_matrix_is_right(format_name: str, tmp_path: Path) -> None:
    drawn = [one for one in matrix() if one.format == format_name]
    assert len(drawn) >= 140
    with ThreadPoolExecutor(2) as pool:
        resources = make_resources(pool)
        for number, one in enumerate(drawn):
            written = write_array(one, tmp_path / str(number))
            try:
                await check(written, resources)
            except AssertionError as error:
                raise AssertionError(str(one)) from error


async def check(written: WrittenArray, resources: Resources) -> None:
    store = await open_store(
        BucketAccess(parse_ref(f"file://{written.directory}")), UpstreamLimits(), environ={}
    )
    try:
        settings = VolumeSettings("em", "em", SIDE, engine=engine_of(written))
        images = await open_images(store, resources, settings)
        assert len(images) == written.num_channels
        for channel, image in enumerate(images):
            await check_blocks(written, channel, image)
            await check_boxes(written, channel, image)
    finally:
        await store.close()


async def check_blocks(written: WrittenArray, channel: int, image: ImageData) -> None:
    voxels, offset = written.zyx(channel), offset_of(written)
    depth, height, width = voxels.shape
    for block in blocks_around((width, height, depth), offset, SIDE):
        x, y, z = (SIDE * at for at in block)
        expected = cut(voxels, offset, (x, y, z), (SIDE,) * 3)
        data = await image.grid.fetch(BlockCoord(*block), UNCOMPRESSED)
        if data is None:
            assert not expected.any(), block
        else:
            found = np.frombuffer(data, expected.dtype.newbyteorder("<")).reshape(expected.shape)
            assert is_equal(found, expected), block


async def check_boxes(written: WrittenArray, channel: int, image: ImageData) -> None:
    voxels, offset = written.zyx(channel), offset_of(written)
    drawn = random.Random(written.drawn.seed)
    for _ in range(2):
        start = [o + drawn.randint(-5, n - 1) for o, n in zip(offset, voxels.shape[::-1], strict=True)]
        size = [drawn.randint(1, 30) for _ in range(3)]
        box = Box(Point(*start), Point(*(a + n for a, n in zip(start, size, strict=True))))
        data = b"".join([bytes(part) async for part in stream_box(image.grid, box)])
        x, y, z = start
        width, height, depth = size
        expected = cut(voxels, offset, (x, y, z), (width, height, depth))
        found = np.frombuffer(data, expected.dtype.newbyteorder("<")).reshape(expected.shape)
        assert is_equal(found, expected), box
