"""Which stored chunks are passed through as DVID's labels, and that they are checked before."""

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import FormatError
from dvidpc.formats.dvid.label_payloads import GOOGLEGZIP
from dvidpc.sources.base import ChunkSource, SourceTools
from dvidpc.sources.isolation import Isolation
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from dvidpc.types import ChunkCoord, Point
from tests.label_chunks import write_with_library
from tests.opened import load_plan

CELL = ChunkCoord(0, 0, 0)
VOXELS = (np.arange(64**3).reshape(64, 64, 64) // 700).astype(np.uint64)


@asynccontextmanager
async def opened(directory: Path, files: dict[str, bytes], **members: object) -> AsyncIterator[ChunkSource]:
    """Open a segmentation of one chunk, stored as *files*; *members* change its info."""
    scale = {
        "key": "s0",
        "size": [64] * 3,
        "resolution": [8] * 3,
        "chunk_sizes": [[64] * 3],
        "encoding": "compressed_segmentation",
        "compressed_segmentation_block_size": members.pop("sub_block", [8] * 3),
    }
    info = {"type": "segmentation", "data_type": "uint64", "num_channels": 1, "scales": [scale], **members}
    (directory / "s0").mkdir()
    (directory / "info").write_text(json.dumps(info))
    for name, data in files.items():
        (directory / "s0" / name).write_bytes(data)
    store = await open_store(BucketAccess(parse_ref(str(directory))), UpstreamLimits(), environ={})
    isolation = Isolation()
    try:
        plan = await load_plan(store)
        indexes = LoadingCache(0, absence_ttl_s=0, clock=lambda: 0)
        [source] = plan.scales[0].stored.open(store, SourceTools(indexes, isolation))
        yield source
    finally:
        isolation.close()
        await store.close()


@pytest.mark.parametrize(
    ("data_type", "side", "passes"), [("uint64", 8, True), ("uint32", 8, False), ("uint64", 16, False)]
)
async def test_which_stored_chunks_are_passed_on(
    data_type: str, side: int, *, passes: bool, tmp_path: Path
) -> None:
    stored = write_with_library(VOXELS.astype(data_type), Point(side, side, side))
    files = {"0-64_0-64_0-64": stored}
    async with opened(tmp_path, files, data_type=data_type, sub_block=[side] * 3) as source:
        assert (source.stored_payload is GOOGLEGZIP) is passes
        if passes:
            passed = await source.read_stored(CELL)
            assert passed is not None
            assert gzip.decompress(passed) == stored


async def test_one_gzip_stream_is_passed_on_and_several_are_made_one(tmp_path: Path) -> None:
    stored = write_with_library(VOXELS)
    whole = gzip.compress(stored)
    async with opened(tmp_path, {"0-64_0-64_0-64.gz": whole}) as source:
        assert await source.read_stored(CELL) == whole
        parts = gzip.compress(stored[:1000]) + gzip.compress(stored[1000:])
        (tmp_path / "s0" / "0-64_0-64_0-64.gz").write_bytes(parts)
        passed = await source.read_stored(CELL)
        assert passed is not None
        assert passed != parts
        assert gzip.decompress(passed) == stored
        (tmp_path / "s0" / "0-64_0-64_0-64.gz").unlink()
        assert await source.read_stored(CELL) is None


@pytest.mark.parametrize("suffix", ["", ".gz"])
async def test_a_damaged_chunk_is_never_passed_on(suffix: str, tmp_path: Path) -> None:
    damaged = write_with_library(VOXELS)[:-8]
    data = gzip.compress(damaged) if suffix else damaged
    async with opened(tmp_path, {f"0-64_0-64_0-64{suffix}": data}) as source:
        with pytest.raises(FormatError, match=r"0-64_0-64_0-64: .*lie.* past the end"):
            await source.read_stored(CELL)
