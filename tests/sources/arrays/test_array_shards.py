"""Inner chunks are read with few requests, from one version of their shard; damage is never absence."""

import struct
from pathlib import Path

import google_crc32c
import numpy as np
import pytest

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import FormatError, ObjectChangedError, StoreError
from dvidpc.formats.arrays.chunk_view import ChunkView
from dvidpc.formats.arrays.dialects import ArrayFormat
from dvidpc.formats.data_types import DataType
from dvidpc.sources.arrays.array_chunks import ArrayChunks
from dvidpc.storage.base import Blob
from dvidpc.storage.coalesce import CoalescingStore
from dvidpc.storage.versions import Version
from dvidpc.tasks import gather_or_cancel
from dvidpc.types import ByteRange, ChunkCoord
from tests.array_reading import open_volume
from tests.drawn_arrays import DrawnArray, Voxels, write_array
from tests.segments import MemoryStore

DRAWN = DrawnArray(
    "zarr3", "tensorstore", "uint8", "zyx", (32, 32, 32), (8, 8, 8), "zstd", shard=(2, 2, 2), seed=3
)
INDEX_SIZE = 8 * 16 + 4
SHARD = "c/0/0/0"


class Site:
    """An array in memory."""

    def __init__(self, directory: Path, drawn: DrawnArray = DRAWN) -> None:
        self.written = write_array(drawn, directory / "array")
        files = [path for path in self.written.directory.rglob("*") if path.is_file()]
        self.store = MemoryStore(
            {str(path.relative_to(self.written.directory)): path.read_bytes() for path in files}
        )
        self.indexes = LoadingCache(2**20, absence_ttl_s=30, clock=lambda: 0)
        level = open_volume(ArrayFormat.ZARR, self.written.directory).levels[0]
        self.coalescing = CoalescingStore(self.store)
        self.chunks = ArrayChunks(
            self.coalescing, "", ChunkView(level), DataType.UINT8, "digest", self.indexes
        )
        self.replaced = 0
        self.chunks.on_replaced(self.note)

    def note(self) -> None:
        self.replaced += 1

    def truth(self, cell: ChunkCoord) -> Voxels:
        x, y, z = (slice(8 * at, 8 * at + 8) for at in cell)
        return self.written.zyx()[z, y, x]

    async def read(self, cell: ChunkCoord) -> Voxels | None:
        data = await self.chunks.read(cell)
        return None if data is None else self.chunks.decode(cell, data)[0]

    async def check(self, cell: ChunkCoord, expected: "Site") -> None:
        """Read a chunk, and compare it with what was written to *expected*."""
        voxels = await self.read(cell)
        assert voxels is not None
        assert (voxels == expected.truth(cell)).all()

    def change_index(self, number: int, offset: int, size: int, *, fix_checksum: bool = True) -> None:
        """Rewrite one entry of the index of SHARD."""
        shard = bytearray(self.store.objects[SHARD])
        start = len(shard) - INDEX_SIZE
        shard[start + 16 * number : start + 16 * number + 16] = struct.pack("<2Q", offset, size)
        if fix_checksum:
            checksum = google_crc32c.value(bytes(shard[start:-4]))
            shard[-4:] = struct.pack("<I", checksum)
        self.store.objects[SHARD] = bytes(shard)


async def test_cold_chunk_takes_two_requests_and_a_warm_one_takes_one(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await site.check(ChunkCoord(0, 0, 0), site)
    assert [key for key, _ in site.store.asked] == [SHARD, SHARD]
    assert site.store.asked[0][1] == ByteRange(-INDEX_SIZE, 0)
    await site.check(ChunkCoord(1, 0, 1), site)
    assert len(site.store.asked) == 3


async def test_index_at_the_start_is_read_from_there(tmp_path: Path) -> None:
    at_start = DrawnArray(**{**DRAWN.__dict__, "is_index_at_start": True, "writer": "zarr"})
    site = Site(tmp_path, at_start)
    await site.check(ChunkCoord(3, 1, 2), site)
    assert site.store.asked[0] == ("c/1/0/1", ByteRange(0, INDEX_SIZE))
    assert len(site.store.asked) == 2


async def test_neighbours_of_one_moment_are_read_together(tmp_path: Path) -> None:
    site = Site(tmp_path)
    cells = [ChunkCoord(x, y, z) for z in range(2) for y in range(2) for x in range(2)]
    await site.read(cells[0])
    site.store.asked.clear()
    found = await gather_or_cancel(site.read(cell) for cell in cells)
    assert len(site.store.asked) == 1
    for cell, voxels in zip(cells, found, strict=True):
        assert voxels is not None
        assert (voxels == site.truth(cell)).all()


async def test_concurrent_cold_reads_share_the_index(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await gather_or_cancel(site.read(ChunkCoord(x, 0, 0)) for x in (0, 1, 0, 1))
    assert [where for _, where in site.store.asked].count(ByteRange(-INDEX_SIZE, 0)) == 1


async def test_missing_shard_and_empty_entry_are_absent(tmp_path: Path) -> None:
    site = Site(tmp_path)
    del site.store.objects["c/1/1/1"]
    assert await site.read(ChunkCoord(3, 3, 3)) is None
    site.change_index(0, 2**64 - 1, 2**64 - 1)
    assert await site.read(ChunkCoord(0, 0, 0)) is None
    assert await site.chunks.locate(ChunkCoord(0, 0, 0)) is None
    assert await site.read(ChunkCoord(1, 0, 0)) is not None


async def test_shard_that_is_replaced_between_index_and_chunk_is_read_anew(tmp_path: Path) -> None:
    site = Site(tmp_path / "old")
    other = Site(tmp_path / "new", DrawnArray(**{**DRAWN.__dict__, "seed": 4}))
    await site.check(ChunkCoord(0, 0, 0), site)
    site.store.objects = other.store.objects
    await site.check(ChunkCoord(1, 1, 1), other)
    assert site.replaced == 1
    site.store.objects = {}
    assert await site.read(ChunkCoord(0, 1, 1)) is None
    assert site.replaced == 2


async def test_shard_that_changes_all_the_time_is_a_failure(tmp_path: Path) -> None:
    class Restless(MemoryStore):
        async def get_range(
            self, key: str, byte_range: ByteRange, *, version: Version | None = None
        ) -> Blob | None:
            raise ObjectChangedError(f"{key} was replaced: {byte_range} {version}")

    site = Site(tmp_path)
    level = open_volume(ArrayFormat.ZARR, site.written.directory).levels[0]
    restless = Restless(site.store.objects)
    chunks = ArrayChunks(restless, "", ChunkView(level), DataType.UINT8, "digest", site.indexes)
    with pytest.raises(ObjectChangedError):
        await chunks.read(ChunkCoord(0, 0, 0))


@pytest.mark.parametrize(
    ("offset", "size", "words"),
    [
        (10**6, 50, r"c/0/0/0 inner chunk 0,0,0: c/0/0/0 ends before"),
        (0, 0, r"c/0/0/0 inner chunk 0,0,0: .*has 0 bytes"),
        (0, 10**9, r"c/0/0/0 inner chunk 0,0,0: its shard index gives it 1000000000 bytes"),
        (2**64 - 1, 5, r"c/0/0/0 inner chunk 0,0,0: damaged shard index"),
        (2**63, 2**63, r"c/0/0/0 inner chunk 0,0,0: damaged shard index"),
    ],
)
async def test_entry_that_cannot_be_is_damage(tmp_path: Path, offset: int, size: int, words: str) -> None:
    site = Site(tmp_path)
    site.change_index(0, offset, size)
    with pytest.raises(FormatError, match=words):
        await site.read(ChunkCoord(0, 0, 0))
    assert await site.read(ChunkCoord(1, 0, 0)) is not None


async def test_index_whose_checksum_is_wrong_is_damage(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.change_index(0, 2**64 - 1, 2**64 - 1, fix_checksum=False)
    with pytest.raises(FormatError, match=r"memory://bucket/c/0/0/0: .*checksum"):
        await site.read(ChunkCoord(0, 0, 0))


@pytest.mark.parametrize("size", [0, 1, INDEX_SIZE - 1])
async def test_shard_shorter_than_its_index_is_damage(tmp_path: Path, size: int) -> None:
    site = Site(tmp_path)
    site.store.objects[SHARD] = site.store.objects[SHARD][:size]
    with pytest.raises(FormatError, match=rf"c/0/0/0 ends at byte {size}"):
        await site.read(ChunkCoord(0, 0, 0))


async def test_failed_read_is_not_absence(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.store.broken = True
    with pytest.raises(StoreError):
        await site.read(ChunkCoord(0, 0, 0))


async def test_chunk_is_located_in_its_shard(tmp_path: Path) -> None:
    site = Site(tmp_path)
    found = await site.chunks.locate(ChunkCoord(1, 0, 0))
    assert found is not None
    assert found.where is not None
    assert found.url == "memory://bucket/c/0/0/0"
    data = site.store.objects[SHARD][found.where.start : found.where.stop]
    assert (site.chunks.decode(ChunkCoord(1, 0, 0), data)[0] == site.truth(ChunkCoord(1, 0, 0))).all()


async def test_damaged_chunk_is_named(tmp_path: Path) -> None:
    site = Site(tmp_path)
    data = await site.chunks.read(ChunkCoord(1, 0, 1))
    assert data is not None
    with pytest.raises(FormatError, match=r"memory://bucket/c/0/0/0 inner chunk 1,0,1: "):
        site.chunks.decode(ChunkCoord(1, 0, 1), data[:-1])


async def test_what_lies_in_place_of_a_chunk_is_explained(tmp_path: Path) -> None:
    site = Site(tmp_path, DrawnArray("zarr2", "zarr", "uint8", "zyx", (16, 16, 16), (8, 8, 8), "zstd"))
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
    with pytest.raises(
        FormatError, match=r"memory://bucket/0/0/0: .*it is a pointer of Git LFS: git lfs pull"
    ):
        site.chunks.decode(ChunkCoord(0, 0, 0), pointer)
    with pytest.raises(FormatError) as caught:
        site.chunks.decode(ChunkCoord(0, 0, 0), b"\x28\xb5\x2f\xfd and nothing more")
    assert "Content-Encoding" not in str(caught.value)


async def test_unsharded_chunk_takes_one_request_and_an_empty_one_is_damage(tmp_path: Path) -> None:
    site = Site(tmp_path, DrawnArray("zarr2", "zarr", "uint8", "zyx", (16, 16, 16), (8, 8, 8), "zstd"))
    await site.check(ChunkCoord(1, 0, 0), site)
    assert site.store.asked == [("0/0/1", None)]
    site.store.objects["0/0/1"] = b""
    with pytest.raises(FormatError, match="memory://bucket/0/0/1: chunk is empty"):
        await site.read(ChunkCoord(1, 0, 0))
    del site.store.objects["0/0/1"]
    assert await site.read(ChunkCoord(1, 0, 0)) is None
    found = await site.chunks.locate(ChunkCoord(1, 0, 0))
    assert found is not None
    assert (found.url, found.where) == ("memory://bucket/0/0/1", None)


def test_fill_is_that_of_the_type_that_is_shown(tmp_path: Path) -> None:
    drawn = DrawnArray("zarr2", "zarr", "int16", "zyx", (8, 8, 8), (8, 8, 8), "raw", fill=-2)
    level = open_volume(ArrayFormat.ZARR, write_array(drawn, tmp_path / "a").directory).levels[0]
    indexes = LoadingCache(2**20, absence_ttl_s=30, clock=lambda: 0)
    store = MemoryStore({})
    signed = ArrayChunks(store, "", ChunkView(level), DataType.INT16, "", indexes)
    labels = ArrayChunks(store, "", ChunkView(level), DataType.UINT64, "", indexes)
    assert (signed.fill, labels.fill) == (-2, 2**16 - 2)
    voxels = np.full((8, 8, 8), -3, "<i2").tobytes()
    assert labels.decode(ChunkCoord(0, 0, 0), voxels).dtype == np.dtype("<u8")
    assert (labels.decode(ChunkCoord(0, 0, 0), voxels) == 2**16 - 3).all()
    assert signed.identity != labels.identity
