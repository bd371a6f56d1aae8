"""The tests that every kind of store must pass: its test class inherits them and provides `bucket`."""

import asyncio
import gzip
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import brotli
import pytest
import pytest_asyncio

from dvidpc.errors import FormatError, ObjectChangedError, StoreError
from dvidpc.storage.base import BucketAccess, ObjectStore, UpstreamLimits
from dvidpc.storage.opening import open_store
from dvidpc.types import ByteRange

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LIMITS = UpstreamLimits(first_byte_timeout_s=5, attempt_timeout_s=10)
MIB = 1 << 20
ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": partial(gzip.compress, mtime=0),
    "br": brotli.compress,
    "zstd": zstd.compress,
}


@dataclass(frozen=True)
class Bucket:
    """A place to read from, and how a test writes to it."""

    access: BucketAccess
    put: Callable[[str, bytes, str | None], None]
    """Key below the prefix, bytes as stored, Content-Encoding."""
    identity: str
    """What `ObjectStore.identity` must be."""
    environ: Mapping[str, str] = field(default_factory=dict)


class StoreContract:
    @pytest_asyncio.fixture
    async def store(self, bucket: Bucket) -> AsyncIterator[ObjectStore]:
        store = await open_store(bucket.access, LIMITS, environ=bucket.environ)
        yield store
        await store.close()

    async def test_whole_object(self, bucket: Bucket, store: ObjectStore) -> None:
        bucket.put("info", b"{}", None)
        blob = await store.get("info", max_size=MIB)
        assert blob is not None
        assert blob.data == b"{}"
        assert blob.version.etag

    async def test_empty_object_is_not_absent(self, bucket: Bucket, store: ObjectStore) -> None:
        bucket.put("empty", b"", None)
        blob = await store.get("empty", max_size=MIB)
        assert blob is not None
        assert blob.data == b""

    async def test_missing_object_is_none(self, bucket: Bucket, store: ObjectStore) -> None:
        bucket.put("info", b"{}", None)
        assert await store.get("nothing", max_size=MIB) is None
        assert await store.get("no/such/folder", max_size=MIB) is None
        assert await store.get_range("nothing", ByteRange(0, 4)) is None

    @pytest.mark.parametrize(("start", "stop"), [(0, 1), (2, 5), (0, 10), (9, 10)])
    async def test_range_is_half_open(
        self, bucket: Bucket, store: ObjectStore, start: int, stop: int
    ) -> None:
        bucket.put("0.shard", b"0123456789", None)
        blob = await store.get_range("0.shard", ByteRange(start, stop))
        assert blob is not None
        assert blob.data == b"0123456789"[start:stop]

    @pytest.mark.parametrize(("start", "stop"), [(5, 11), (10, 12), (1000, 2000)])
    async def test_range_past_the_end_is_a_format_error(
        self, bucket: Bucket, store: ObjectStore, start: int, stop: int
    ) -> None:
        bucket.put("0.shard", b"0123456789", None)
        with pytest.raises(FormatError, match=r"0\.shard ends"):
            await store.get_range("0.shard", ByteRange(start, stop))

    @pytest.mark.parametrize("size", [1, 4, 9, 10])
    async def test_tail_is_the_end_of_the_object(self, bucket: Bucket, store: ObjectStore, size: int) -> None:
        bucket.put("0.shard", b"0123456789", None)
        blob = await store.get_tail("0.shard", size)
        assert blob is not None
        assert blob.data == b"0123456789"[-size:]

    async def test_tail_of_a_large_object(self, bucket: Bucket, store: ObjectStore) -> None:
        bucket.put("0.shard", bytes(100_000) + b"the end", None)
        blob = await store.get_tail("0.shard", 7)
        assert blob is not None
        assert blob.data == b"the end"

    @pytest.mark.parametrize("length", [0, 1, 10])
    async def test_tail_longer_than_the_object_is_a_format_error(
        self, bucket: Bucket, store: ObjectStore, length: int
    ) -> None:
        bucket.put("0.shard", b"0123456789"[:length], None)
        with pytest.raises(FormatError, match=r"0\.shard ends"):
            await store.get_tail("0.shard", 11)

    async def test_tail_of_a_missing_object_is_none(self, bucket: Bucket, store: ObjectStore) -> None:
        bucket.put("info", b"{}", None)
        assert await store.get_tail("nothing", 4) is None
        assert await store.get_tail("no/such/folder", 4) is None

    async def test_version_of_a_tail_is_good_for_a_range(self, bucket: Bucket, store: ObjectStore) -> None:
        bucket.put("0.shard", b"0123456789", None)
        tail = await store.get_tail("0.shard", 4)
        assert tail is not None
        assert tail.version.etag
        part = await store.get_range("0.shard", ByteRange(4, 6), version=tail.version)
        assert part is not None
        assert (part.data, part.version.etag) == (b"45", tail.version.etag)
        bucket.put("0.shard", b"another one", None)
        with pytest.raises(ObjectChangedError, match=r"0\.shard"):
            await store.get_range("0.shard", ByteRange(4, 6), version=tail.version)

    async def test_etag_of_one_read_is_good_for_the_next(self, bucket: Bucket, store: ObjectStore) -> None:
        bucket.put("0.shard", b"0123456789", None)
        first = await store.get_range("0.shard", ByteRange(0, 4))
        assert first is not None
        assert first.version.etag
        again = await store.get_range("0.shard", ByteRange(4, 6), version=first.version)
        assert again is not None
        assert (again.data, again.version.etag) == (b"45", first.version.etag)

    async def test_replaced_object_is_noticed(self, bucket: Bucket, store: ObjectStore) -> None:
        bucket.put("0.shard", b"0123456789", None)
        first = await store.get_range("0.shard", ByteRange(0, 4))
        assert first is not None
        bucket.put("0.shard", b"another one", None)
        with pytest.raises(ObjectChangedError, match=r"0\.shard"):
            await store.get_range("0.shard", ByteRange(4, 6), version=first.version)

    @pytest.mark.parametrize("encoding", ENCODERS)
    async def test_content_encoding_is_undone(
        self, bucket: Bucket, store: ObjectStore, encoding: str
    ) -> None:
        data = bytes(range(256)) * 64
        bucket.put("encoded", ENCODERS[encoding](data), encoding)
        blob = await store.get("encoded", max_size=len(data))
        assert blob is not None
        assert blob.data == data
        assert blob.gzip == (ENCODERS[encoding](data) if encoding == "gzip" else None)

    async def test_damaged_encoding_is_a_format_error(self, bucket: Bucket, store: ObjectStore) -> None:
        bucket.put("encoded", gzip.compress(b"0123456789")[:-3], "gzip")
        with pytest.raises(FormatError, match="encoded"):
            await store.get("encoded", max_size=MIB)

    async def test_decompression_bomb_is_refused(self, bucket: Bucket, store: ObjectStore) -> None:
        bucket.put("bomb", gzip.compress(bytes(16 * MIB)), "gzip")
        with pytest.raises(FormatError, match=r"bomb.*more than"):
            await store.get("bomb", max_size=MIB)

    async def test_object_larger_than_allowed_is_refused(self, bucket: Bucket, store: ObjectStore) -> None:
        bucket.put("large", bytes(1001), None)
        with pytest.raises(FormatError, match=r"large.*1000"):
            await store.get("large", max_size=1000)
        assert await store.get("large", max_size=1001) is not None

    @pytest.mark.parametrize(
        "key", ["a b", "+", "%20", "ü", "0-64_-64-0_0-64", "0.shard", "mesh/1:0", "a=b&c"]
    )
    async def test_odd_keys_are_taken_literally(self, bucket: Bucket, store: ObjectStore, key: str) -> None:
        bucket.put(key, key.encode(), None)
        blob = await store.get(key, max_size=MIB)
        assert blob is not None
        assert blob.data == key.encode()
        part = await store.get_range(key, ByteRange(0, 1))
        assert part is not None
        assert part.data == key.encode()[:1]

    async def test_reads_overlap(self, bucket: Bucket, store: ObjectStore) -> None:
        for number in range(10):
            bucket.put(f"{number}", bytes([number]) * 100, None)
        blobs = await asyncio.gather(*(store.get(f"{i % 10}", max_size=MIB) for i in range(150)))
        assert [blob.data if blob else b"" for blob in blobs] == [bytes([i % 10]) * 100 for i in range(150)]

    async def test_cancelled_read_leaves_the_store_usable(self, bucket: Bucket, store: ObjectStore) -> None:
        bucket.put("info", b"{}", None)
        for _ in range(5):
            read = asyncio.create_task(store.get("info", max_size=MIB))
            await asyncio.sleep(0)
            read.cancel()
            with pytest.raises(asyncio.CancelledError):
                await read
        assert await store.get("info", max_size=MIB) is not None

    async def test_url_names_the_place(self, bucket: Bucket, store: ObjectStore) -> None:
        assert store.url == bucket.access.ref.text.rstrip("/")

    async def test_identity_names_service_bucket_and_prefix(self, bucket: Bucket, store: ObjectStore) -> None:
        assert store.identity == bucket.identity
        again = await open_store(bucket.access, LIMITS, environ=bucket.environ)
        assert again.identity == store.identity
        await again.close()

    async def test_closed_store_says_so(self, bucket: Bucket) -> None:
        store = await open_store(bucket.access, UpstreamLimits(attempts=1), environ=bucket.environ)
        await store.close()
        with pytest.raises(StoreError, match=r"info cannot be read: the store is closed"):
            await store.get("info", max_size=9)
