"""Values by segment id: found whatever the sharding, and never confused with a failure."""

import gzip
import struct
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import tensorstore as ts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import FormatError, ObjectChangedError, StoreError
from dvidpc.formats.precomputed.info import parse_sharding
from dvidpc.sources.precomputed.keyed_reader import KeyedReader
from dvidpc.storage.base import Blob, BucketAccess, UpstreamLimits
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange
from tests.segments import SHARDING, MemoryStore, objects_below

IDS = st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 2**53 + 1, 2**63 + 7, 2**64 - 1])


def write_shards(directory: Path, sharding: Mapping[str, Any], values: Mapping[int, bytes]) -> MemoryStore:
    """Shards that tensorstore writes."""
    kvstore = ts.KvStore.open(
        {
            "driver": "neuroglancer_uint64_sharded",
            "base": {"driver": "file", "path": f"{directory}/"},
            "metadata": dict(sharding),
        }
    ).result()
    with ts.Transaction() as transaction:
        for value_id, value in values.items():
            kvstore.with_transaction(transaction).write(struct.pack(">Q", value_id), value).result()
    return MemoryStore({f"seg/{key}": data for key, data in objects_below(directory).items()})


def open_reader(store: MemoryStore, sharding: Mapping[str, Any] | None, *, suffix: str = "") -> KeyedReader:
    indexes = LoadingCache(2**24, absence_ttl_s=30, clock=lambda: 0)
    return KeyedReader(store, "seg", parse_sharding(sharding), indexes, suffix)


@st.composite
def shardings(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "@type": "neuroglancer_uint64_sharded_v1",
        "preshift_bits": draw(st.integers(0, 64)),
        "hash": draw(st.sampled_from(["identity", "murmurhash3_x86_128"])),
        "minishard_bits": draw(st.integers(0, 6)),
        "shard_bits": draw(st.integers(0, 6)),
        "minishard_index_encoding": draw(st.sampled_from(["raw", "gzip"])),
        "data_encoding": draw(st.sampled_from(["raw", "gzip"])),
    }


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(shardings(), st.dictionaries(IDS, st.binary(min_size=1, max_size=50), max_size=12), IDS)
async def test_every_value_that_tensorstore_wrote_is_found_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, sharding: dict[str, Any], values: dict[int, bytes], other: int
) -> None:
    store = write_shards(tmp_path_factory.mktemp("shards"), sharding, values)
    reader = open_reader(store, sharding)
    for value_id in {*values, other}:
        assert await reader.read(value_id, 1000) == values.get(value_id)
        assert await reader.contains(value_id, 1000) is (value_id in values)


@pytest.mark.parametrize("sharding", [None, SHARDING])
async def test_indexes_are_read_once(sharding: Mapping[str, Any] | None, tmp_path: Path) -> None:
    values = {number: bytes([number + 1]) * 9 for number in range(8)}
    store = (
        MemoryStore({f"seg/{number}.swc": value for number, value in values.items()})
        if sharding is None
        else write_shards(tmp_path, sharding, values)
    )
    reader = open_reader(store, sharding, suffix=".swc")
    for number, value in values.items():
        assert await reader.read(number, 100) == value
    store.asked.clear()
    assert await reader.read(3, 100) == values[3]
    assert len(store.asked) == 1


async def test_a_failed_bucket_is_not_an_absent_value(tmp_path: Path) -> None:
    for store, sharding in ((MemoryStore({}), None), (write_shards(tmp_path, SHARDING, {1: b"x"}), SHARDING)):
        reader = open_reader(store, sharding)
        store.broken = True
        with pytest.raises(StoreError):
            await reader.read(1, 100)
        with pytest.raises(StoreError):
            await reader.contains(1, 100)


async def test_a_value_beyond_its_bound_is_refused_before_and_after_decompression(tmp_path: Path) -> None:
    value = bytes(1000)
    assert len(gzip.compress(value)) < 100
    for encoding, most in (("raw", 999), ("gzip", 999), ("gzip", 5)):
        sharding = {**SHARDING, "data_encoding": encoding}
        directory = tmp_path / f"{encoding}{most}"
        directory.mkdir()
        reader = open_reader(write_shards(directory, sharding, {7: value}), sharding)
        with pytest.raises(FormatError, match=r"memory://bucket/seg/[01].shard id 7: "):
            await reader.read(7, most)
        assert await reader.read(7, 1000) == value


async def test_a_shard_that_is_replaced_is_read_once_more(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    sharding = {**SHARDING, "shard_bits": 0}
    store = write_shards(tmp_path, sharding, {1: b"old", 2: b"two"})
    reader = open_reader(store, sharding)
    replaced = []
    assert reader.shards is not None
    reader.shards.on_replaced(lambda: replaced.append(1))
    assert await reader.read(1, 100) == b"old"
    store.objects = write_shards(tmp_path / "new", sharding, {1: b"other", 2: b"2"}).objects
    assert await reader.read(1, 100) == b"other"
    assert replaced == [1]
    store.objects = {}
    assert await reader.read(1, 100) is None


async def test_a_shard_that_changes_all_the_time_is_a_failure(tmp_path: Path) -> None:
    class Restless(MemoryStore):
        async def get_range(
            self, key: str, byte_range: ByteRange, *, version: Version | None = None
        ) -> Blob | None:
            if version is not None:
                raise ObjectChangedError(f"{key} was replaced")
            return await super().get_range(key, byte_range)

    reader = open_reader(Restless(write_shards(tmp_path, SHARDING, {1: b"x"}).objects), SHARDING)
    with pytest.raises(ObjectChangedError):
        await reader.read(1, 100)


async def test_an_object_that_a_directory_holds_compressed_is_there(tmp_path: Path) -> None:
    (tmp_path / "5.gz").write_bytes(gzip.compress(b"five"))
    (tmp_path / "6").write_bytes(b"")
    access = BucketAccess(ref=parse_ref(f"file://{tmp_path}"))
    store = await open_store(access, UpstreamLimits(), environ={})
    try:
        reader = KeyedReader(store, "", None, LoadingCache(0, absence_ttl_s=0, clock=lambda: 0))
        assert await reader.read(5, 100) == b"five"
        assert [await reader.contains(number, 100) for number in (5, 6, 7)] == [True, True, False]
    finally:
        await store.close()


@settings(max_examples=150, deadline=None, database=None)
@given(st.binary(max_size=300), st.integers(0, 255))
async def test_any_bytes_are_read_or_refused_as_a_shard(data: bytes, value_id: int) -> None:
    sharding = {
        **SHARDING,
        "shard_bits": 0,
        "minishard_bits": 1,
        "minishard_index_encoding": "raw",
        "preshift_bits": 0,
    }
    reader = open_reader(MemoryStore({"seg/0.shard": data}), sharding)
    with suppress(FormatError):
        await reader.read(value_id, 1000)
