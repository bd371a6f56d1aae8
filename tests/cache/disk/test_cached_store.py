"""What is served from the disk, what is asked of the bucket, and what is written."""

import asyncio
import gzip
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from dvidpc.cache.disk.disk_cache import DiskCache
from dvidpc.cache.loading_cache import FRESH_S, STALE_S
from dvidpc.counters import TALLY, Tally
from dvidpc.errors import FormatError, ObjectChangedError, StoreError, StoreRefusedError
from dvidpc.storage.base import Blob, ObjectStore
from dvidpc.storage.coalesce import CoalescingStore
from dvidpc.storage.opening import open_store
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange
from tests.cache.disk.memory_bucket import MemoryBucket, Read
from tests.storage.contract import LIMITS, Bucket, StoreContract
from tests.storage.http.test_web_store import TestWebServer as WebServerContract
from tests.storage.test_files import TestDirectory as DirectoryContract
from tests.waiting import Clock

R = ByteRange
DATA = bytes(range(100))


@pytest_asyncio.fixture
async def store(bucket: MemoryBucket, cache: DiskCache) -> ObjectStore:
    bucket.put("0.shard", DATA)
    bucket.put("info", b"{}")
    return cache.wrap(bucket)


async def read(store: ObjectStore, byte_range: ByteRange, version: Version | None = None) -> Blob:
    blob = await store.get_range("0.shard", byte_range, version=version)
    assert blob is not None
    return blob


async def test_a_range_of_a_known_version_is_served_however_old_it_is(
    store: ObjectStore, bucket: MemoryBucket, cache: DiskCache, clock: Clock
) -> None:
    first = await read(store, R(0, 10))
    await cache.flush()
    clock.now += 1e8
    bucket.error = StoreError("down")
    bucket.put("0.shard", bytes(100))
    assert await read(store, R(0, 10), first.version) == first
    assert len(bucket.asked) == 1
    assert cache.counts.hits == 1
    assert cache.counts.bytes_read == 10


async def test_a_range_of_another_version_is_read(
    store: ObjectStore, bucket: MemoryBucket, cache: DiskCache
) -> None:
    await read(store, R(0, 10))
    bucket.put("0.shard", bytes(100))
    new = await read(store, R(10, 20))
    assert (await read(store, R(0, 10), new.version)).data == bytes(10)
    await cache.flush()
    bucket.asked.clear()
    assert (await read(store, R(0, 10), new.version)).data == bytes(10)
    assert bucket.asked == []


async def test_what_is_queued_is_served(store: ObjectStore, bucket: MemoryBucket) -> None:
    first = await read(store, R(0, 10))
    assert await read(store, R(0, 10)) == first
    assert len(bucket.asked) == 1


@pytest.mark.parametrize("part", ["range", "tail", "whole"])
async def test_each_part_is_kept_over_a_restart(
    part: str, bucket: MemoryBucket, tmp_path: Path, clock: Clock
) -> None:
    bucket.put("object", DATA)
    blobs = []
    for _ in range(2):
        cache = DiskCache(tmp_path / "disk", 2**26, clock=clock)
        await cache.open()
        store = cache.wrap(bucket)
        match part:
            case "range":
                blobs.append(await store.get_range("object", R(3, 7)))
            case "tail":
                blobs.append(await store.get_tail("object", 7))
            case _:
                blobs.append(await store.get("object", max_size=100))
        await cache.close()
    assert blobs[0] is not None
    assert blobs[0] == blobs[1]
    assert len(bucket.asked) == 1


async def test_parts_and_objects_and_stores_are_told_apart(
    bucket: MemoryBucket, cache: DiskCache, clock: Clock
) -> None:
    other = MemoryBucket(clock, identity="memory://bucket2")
    for one, keys in ((bucket, ("a", "2a")), (other, ("a", "\u00fc"))):
        for key in keys:
            one.put(key, f"{one.identity}{key}".encode() * 4)
    for _ in range(2):
        for one, keys in ((bucket, ("a", "2a")), (other, ("a", "\u00fc"))):
            store = cache.wrap(one)
            for key in keys:
                data = one.history[key][-1].data
                assert data is not None
                whole, tail = await store.get(key, max_size=99), await store.get_tail(key, 5)
                head = await store.get_range(key, R(0, 5))
                assert whole is not None
                assert tail is not None
                assert head is not None
                assert (whole.data, tail.data, head.data) == (data, data[-5:], data[:5])
        await cache.flush()
    assert len(bucket.asked) == len(other.asked) == 6


async def test_old_bytes_are_compared_by_one_byte_and_are_current_again(
    store: ObjectStore, bucket: MemoryBucket, cache: DiskCache, clock: Clock
) -> None:
    first = await read(store, R(0, 10))
    await cache.flush()
    clock.now += FRESH_S
    bucket.asked.clear()
    assert await read(store, R(0, 10)) == first
    assert bucket.asked == [Read("0.shard", R(0, 1), first.version)]
    await cache.flush()
    clock.now += FRESH_S - 1
    again = cache.wrap(bucket)
    assert await read(again, R(0, 10)) == first
    assert len(bucket.asked) == 1
    assert cache.counts.compared == 1


async def test_an_object_is_compared_once_for_all_its_parts(
    store: ObjectStore, bucket: MemoryBucket, cache: DiskCache, clock: Clock
) -> None:
    parts = [R(number, number + 5) for number in range(10)]
    for part in parts:
        await read(store, part)
    await cache.flush()
    clock.now += FRESH_S
    bucket.asked.clear()
    blobs = await asyncio.gather(*(read(store, part) for part in parts))
    assert [blob.data for blob in blobs] == [DATA[a:b] for a, b in parts]
    assert len(bucket.asked) == 1
    clock.now += FRESH_S - 1
    await asyncio.gather(*(read(store, part) for part in parts))
    assert len(bucket.asked) == 1


async def test_replaced_objects_are_read_again(
    store: ObjectStore, bucket: MemoryBucket, cache: DiskCache, clock: Clock
) -> None:
    for part in (R(0, 10), R(10, 20)):
        await read(store, part)
    await cache.flush()
    clock.now += FRESH_S
    bucket.put("0.shard", bytes(100))
    bucket.asked.clear()
    for part in (R(0, 10), R(10, 20)):
        assert (await read(store, part)).data == bytes(10)
    assert [one.what for one in bucket.asked] == [R(0, 1), R(0, 10), R(10, 20)], "both parts are forgotten"
    assert cache.counts.compared == 0


async def test_a_read_that_finds_the_object_replaced_forgets_all_of_it(
    store: ObjectStore, bucket: MemoryBucket, cache: DiskCache, clock: Clock
) -> None:
    first = await read(store, R(0, 10))
    await cache.flush()
    clock.now += 1
    bucket.put("0.shard", bytes(100))
    with pytest.raises(ObjectChangedError):
        await read(store, R(50, 60), first.version)
    await cache.flush()
    assert cache.entries == 0
    clock.now += 1
    assert (await read(store, R(0, 10))).data == bytes(10)


async def test_an_object_that_is_gone_is_forgotten_and_absences_are_not_kept(
    store: ObjectStore, bucket: MemoryBucket, cache: DiskCache, clock: Clock
) -> None:
    await read(store, R(0, 10))
    await cache.flush()
    clock.now += FRESH_S
    bucket.put("0.shard", None)
    assert await store.get_range("0.shard", R(0, 10)) is None
    assert await store.get("nothing", max_size=9) is None
    await cache.flush()
    assert cache.entries == 0
    bucket.put("0.shard", DATA)
    bucket.put("nothing", b"something")
    clock.now += 1
    assert (await read(store, R(0, 10))).data == DATA[:10]
    assert await store.get("nothing", max_size=9) is not None


async def test_versions_that_prove_nothing_are_read_again_once_they_are_old(
    store: ObjectStore, bucket: MemoryBucket, cache: DiskCache, clock: Clock
) -> None:
    bucket.has_etags = bucket.has_times = False
    first = await read(store, R(0, 10))
    assert await read(store, R(0, 10)) == first
    assert len(bucket.asked) == 1
    clock.now += FRESH_S
    bucket.put("0.shard", bytes(100))
    assert (await read(store, R(0, 10))).data == bytes(10)
    assert [one.what for one in bucket.asked] == [R(0, 10), R(0, 10)]
    assert cache.counts.compared == 0


async def test_one_byte_of_a_store_that_says_nothing_any_more_proves_nothing(
    store: ObjectStore, bucket: MemoryBucket, clock: Clock
) -> None:
    await read(store, R(0, 10))
    clock.now += FRESH_S
    bucket.has_etags = bucket.has_times = False
    bucket.put("0.shard", bytes(100))
    assert (await read(store, R(0, 10))).data == bytes(10)


@pytest.mark.parametrize("age_s", [FRESH_S, FRESH_S + STALE_S - 1])
async def test_old_bytes_stand_in_while_the_bucket_is_down(
    age_s: float, store: ObjectStore, bucket: MemoryBucket, cache: DiskCache, clock: Clock
) -> None:
    first = await read(store, R(0, 10))
    clock.now += age_s
    bucket.error = StoreError("down")
    assert await read(store, R(0, 10)) == first
    assert cache.counts.stale == 1
    clock.now += FRESH_S + STALE_S - age_s
    with pytest.raises(StoreError, match="down"):
        await read(store, R(0, 10))


@pytest.mark.parametrize("error", [StoreRefusedError("no", 403), FormatError("odd")])
async def test_old_bytes_do_not_stand_in_for_an_answer(
    error: Exception, store: ObjectStore, bucket: MemoryBucket, clock: Clock
) -> None:
    await read(store, R(0, 10))
    clock.now += FRESH_S
    bucket.error = error
    with pytest.raises(type(error)):
        await read(store, R(0, 10))


async def test_what_was_replaced_does_not_stand_in(
    store: ObjectStore, bucket: MemoryBucket, clock: Clock
) -> None:
    first = await read(store, R(0, 10))
    clock.now += 1
    bucket.put("0.shard", bytes(100))
    with pytest.raises(ObjectChangedError):
        await read(store, R(20, 30), first.version)
    bucket.error = StoreError("down")
    with pytest.raises(StoreError, match="down"):
        await read(store, R(0, 10))


DOCUMENTS = ["info", "s0/.zarray", "a/attributes.json"]


@pytest.mark.parametrize("key", [*DOCUMENTS, "other"])
async def test_metadata_is_always_read_from_the_bucket_and_stands_in_while_it_is_down(
    key: str, store: ObjectStore, bucket: MemoryBucket, cache: DiskCache, clock: Clock
) -> None:
    bucket.put(key, b"{}")
    is_metadata = key not in DOCUMENTS
    for text in (b"{}", b"{1}", b"{2}"):
        bucket.put(key, text)
        blob = await store.get(key, max_size=9, is_metadata=is_metadata)
        assert blob is not None
        assert blob.data == text
        await cache.flush()
        clock.now += 1
    assert {one.what for one in bucket.asked} == {"metadata" if is_metadata else "whole"}, (
        "as it was asked for"
    )
    bucket.error = StoreError("down")
    clock.now += FRESH_S + STALE_S - 2
    assert await store.get(key, max_size=9, is_metadata=is_metadata) == blob
    assert (cache.counts.stale, cache.counts.hits) == (1, 0)
    clock.now += 1
    with pytest.raises(StoreError, match="down"):
        await store.get(key, max_size=9, is_metadata=is_metadata)


async def test_metadata_that_did_not_change_is_confirmed(
    store: ObjectStore, bucket: MemoryBucket, cache: DiskCache, clock: Clock
) -> None:
    for _ in range(3):
        blob = await store.get("info", max_size=9, is_metadata=True)
        await cache.flush()
        clock.now += FRESH_S
    assert cache.counts.bytes_written == 2
    bucket.error = StoreError("down")
    old = await store.get("info", max_size=9, is_metadata=True)
    assert old is not None
    assert blob is not None
    assert old.data == blob.data


@pytest.mark.parametrize("who", ["same", "other"])
async def test_everything_is_compared_once_metadata_has_changed(
    who: str, store: ObjectStore, bucket: MemoryBucket, cache: DiskCache, clock: Clock
) -> None:
    """In all processes: the other one finds nothing new, because the first has written the new metadata."""
    await store.get("info", max_size=9, is_metadata=True)
    first = await read(store, R(0, 10))
    await cache.flush()
    clock.now += 1
    bucket.put("info", b"{1}")
    await store.get("info", max_size=9, is_metadata=True)
    await cache.flush()
    bucket.asked.clear()
    asking = store if who == "same" else cache.wrap(bucket)
    clock.now += 1
    assert await read(asking, R(0, 10)) == first
    assert [one.what for one in bucket.asked] == [R(0, 1)]
    assert await read(asking, R(0, 10)) == first
    assert len(bucket.asked) == 1


async def test_parts_of_documents_are_read_from_the_bucket(
    store: ObjectStore, bucket: MemoryBucket, cache: DiskCache
) -> None:
    for _ in range(2):
        await store.get_range("info", R(0, 1))
        await store.get_tail("info", 1)
    assert len(bucket.asked) == 4
    await cache.flush()
    assert cache.entries == 0


async def test_gzip_is_kept_as_it_was_stored(
    store: ObjectStore, bucket: MemoryBucket, cache: DiskCache
) -> None:
    data = bytes(10_000)
    bucket.put("chunk", data, gzip.compress(data))
    blobs = [await store.get("chunk", max_size=10_000)]
    await cache.flush()
    blobs.append(await store.get("chunk", max_size=10_000))
    assert (
        blobs[1] == blobs[0] == Blob(data, blobs[0].version if blobs[0] else Version(), gzip.compress(data))
    )
    assert cache.counts.bytes_written == len(gzip.compress(data))
    assert len(bucket.asked) == 1


@pytest.mark.parametrize("zipped", [False, True])
async def test_what_is_larger_than_allowed_is_refused_from_the_disk_too(
    store: ObjectStore, bucket: MemoryBucket, *, zipped: bool
) -> None:
    bucket.put("chunk", bytes(1000), gzip.compress(bytes(1000)) if zipped else None)
    await store.get("chunk", max_size=1000)
    with pytest.raises(FormatError, match="too large"):
        await store.get("chunk", max_size=999)


async def test_large_values_are_not_written(
    store: ObjectStore, bucket: MemoryBucket, cache: DiskCache
) -> None:
    for key, size in (("small", cache.max_bytes // 100), ("large", cache.max_bytes // 100 + 1)):
        bucket.put(key, bytes(size))
        await store.get(key, max_size=size)
    await cache.flush()
    assert cache.entries == 1
    assert cache.counts.dropped == 0


async def test_an_etag_that_is_not_text_is_not_written(
    store: ObjectStore, bucket: MemoryBucket, cache: DiskCache
) -> None:
    bucket.put("\udcff", DATA)  # the bucket's etags have the key in them
    for _ in range(2):
        blob = await store.get("\udcff", max_size=100)
        assert blob is not None
        assert blob.data == DATA
    await cache.flush()
    assert (cache.entries, len(bucket.asked)) == (0, 2)


async def test_hits_are_counted_for_the_request(store: ObjectStore) -> None:
    await read(store, R(0, 10))
    TALLY.set(tally := Tally("1"))
    await asyncio.gather(*(read(store, R(0, 10)) for _ in range(3)))
    assert (tally.disk, tally.hits) == (3, 0)


async def test_misses_of_one_turn_are_still_joined(bucket: MemoryBucket, cache: DiskCache) -> None:
    bucket.put("0.shard", DATA)
    store = cache.wrap(CoalescingStore(bucket))
    await read(store, R(0, 10))
    await cache.flush()
    bucket.asked.clear()
    parts = [R(0, 10), R(10, 20), R(20, 30), R(40, 50)]
    blobs = await asyncio.gather(*(read(store, part) for part in parts))
    assert [blob.data for blob in blobs] == [DATA[a:b] for a, b in parts]
    assert [one.what for one in bucket.asked] == [R(10, 50)]


async def test_names_and_retractions_are_those_of_the_bucket(
    store: ObjectStore, bucket: MemoryBucket
) -> None:
    bucket.oddity = "odd"
    assert (store.url, store.identity, store.oddity) == (bucket.url, bucket.identity, "odd")
    store.on_retracted(bucket.callbacks.clear)
    assert bucket.callbacks == [bucket.callbacks.clear]
    await store.close()
    assert bucket.is_closed


class Twice:
    """Makes each read twice, the second time from the disk, and compares what they return."""

    def __init__(self, store: ObjectStore, cache: DiskCache) -> None:
        self._store = store
        self._cache = cache
        self.url, self.identity, self.oddity = store.url, store.identity, store.oddity
        self.on_retracted, self.close = store.on_retracted, store.close

    async def _twice(self, ask: Callable[[], Awaitable[Blob | None]]) -> Blob | None:
        first = await ask()
        await self._cache.flush()
        hits = self._cache.counts.hits
        assert await ask() == first
        assert self._cache.counts.hits >= hits + (first is not None)  # other reads count too
        return first

    async def get(self, key: str, *, max_size: int, is_metadata: bool = False) -> Blob | None:
        ask = partial(self._store.get, key, max_size=max_size, is_metadata=is_metadata)
        return await (ask() if key == "info" else self._twice(ask))

    async def get_range(
        self, key: str, byte_range: ByteRange, *, version: Version | None = None
    ) -> Blob | None:
        return await self._twice(partial(self._store.get_range, key, byte_range, version=version))

    async def get_tail(self, key: str, size: int) -> Blob | None:
        return await self._twice(partial(self._store.get_tail, key, size))


class CachedContract(StoreContract):
    @pytest_asyncio.fixture
    async def store(self, bucket: Bucket) -> AsyncIterator[ObjectStore]:
        inner = await open_store(bucket.access, LIMITS, environ=bucket.environ)
        with tempfile.TemporaryDirectory() as directory:
            cache = DiskCache(Path(directory), 2**26)
            await cache.open()
            yield Twice(cache.wrap(inner), cache)
            await cache.close()
        await inner.close()
        assert (cache.counts.errors, cache.counts.dropped, cache.trouble) == (0, 0, None)

    async def test_version_of_a_tail_is_good_for_a_range(self, bucket: Bucket, store: ObjectStore) -> None:
        """And stays good for a range that is on disk, even when the object has been replaced."""
        bucket.put("0.shard", b"0123456789", None)
        tail = await store.get_tail("0.shard", 4)
        assert tail is not None
        part = await store.get_range("0.shard", R(4, 6), version=tail.version)
        bucket.put("0.shard", b"another one", None)
        assert await store.get_range("0.shard", R(4, 6), version=tail.version) == part
        with pytest.raises(ObjectChangedError, match=r"0\.shard"):
            await store.get_range("0.shard", R(4, 7), version=tail.version)


class TestOverDirectory(CachedContract, DirectoryContract):
    pass


class TestOverWebServer(CachedContract, WebServerContract):
    pass
