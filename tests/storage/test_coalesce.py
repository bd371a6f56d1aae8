"""Reads are joined as planned; each caller gets its own bytes, and no caller's failure reaches another."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.errors import FormatError, StoreError
from dvidpc.storage.base import Blob
from dvidpc.storage.coalesce import CoalescingStore, plan_reads
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange

R = ByteRange


@pytest.mark.parametrize(
    ("ranges", "reads"),
    [
        ([], []),
        ([R(5, 9)], [R(5, 9)]),
        ([R(0, 4), R(4, 8)], [R(0, 8)]),
        ([R(4, 8), R(0, 4), R(4, 8)], [R(0, 8)]),
        ([R(0, 4), R(14, 20)], [R(0, 20)]),
        ([R(0, 4), R(15, 20)], [R(0, 4), R(15, 20)]),
        ([R(0, 60), R(60, 101)], [R(0, 60), R(60, 101)]),
        ([R(0, 500), R(10, 20)], [R(0, 500)]),
        ([R(0, 30), R(20, 50), R(55, 90)], [R(0, 90)]),
    ],
)
def test_a_plan_joins_what_lies_close(ranges: Sequence[ByteRange], reads: list[ByteRange]) -> None:
    assert plan_reads(ranges, max_gap=10, max_size=100) == reads


ranges_of_bytes = st.tuples(st.integers(0, 2000), st.integers(1, 300)).map(lambda pair: R(pair[0], sum(pair)))


@given(st.lists(ranges_of_bytes, max_size=30))
def test_every_range_lies_in_a_read_and_no_read_wastes_more_than_it_may(ranges: list[ByteRange]) -> None:
    reads = plan_reads(ranges, max_gap=10, max_size=100)
    for wanted in ranges:
        assert any(read.start <= wanted.start and wanted.stop <= read.stop for read in reads)
    asked = {byte for wanted in ranges for byte in range(*wanted)}
    for read in reads:
        assert read.start in asked
        assert read.stop - 1 in asked
        assert read.size <= 100 or read.size <= sum(len({*range(*one)}) for one in ranges)


class Objects:
    """A store of one object that records its reads."""

    url = identity = "memory://"
    oddity = None

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked: list[ByteRange] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.cancelled = 0
        self.error: Exception | None = None

    def on_retracted(self, callback: Callable[[], None]) -> None:
        raise NotImplementedError(callback)

    async def get(self, key: str, *, max_size: int, is_metadata: bool = False) -> Blob | None:
        raise NotImplementedError((key, max_size, is_metadata))

    async def get_range(
        self, key: str, byte_range: ByteRange, *, version: Version | None = None
    ) -> Blob | None:
        self.asked.append(byte_range)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error:
            raise self.error
        if key == "absent":
            return None
        if byte_range.stop > len(self.data):
            raise FormatError(f"{key} ends at {len(self.data)}")
        return Blob(self.data[byte_range.start : byte_range.stop], version or Version())

    async def get_tail(self, key: str, size: int) -> Blob | None:
        return None if key == "absent" else Blob(self.data[-size:], Version())

    async def close(self) -> None:
        return


DATA = bytes(range(256)) * 4


async def test_reads_of_one_cycle_are_joined_and_each_caller_gets_its_own() -> None:
    objects = Objects(DATA)
    store = CoalescingStore(objects)
    ranges = [R(0, 10), R(10, 40), R(300, 301), R(12, 20)]
    blobs = await asyncio.gather(*(store.get_range("key", wanted, version=Version("e")) for wanted in ranges))
    assert [blob.data if blob else None for blob in blobs] == [DATA[a:b] for a, b in ranges]
    assert objects.asked == [R(0, 301)]


async def test_other_objects_and_other_etags_are_read_apart() -> None:
    objects = Objects(DATA)
    store = CoalescingStore(objects)
    blobs = await asyncio.gather(
        store.get_range("a", R(0, 4), version=Version("1")),
        store.get_range("a", R(4, 8), version=Version("2")),
        store.get_range("absent", R(0, 4)),
    )
    assert len(objects.asked) == 3
    assert blobs[2] is None


async def test_a_range_beyond_the_end_fails_alone() -> None:
    objects = Objects(DATA)
    store = CoalescingStore(objects)
    good, bad = await asyncio.gather(
        store.get_range("key", R(1000, 1024)), store.get_range("key", R(1024, 1030)), return_exceptions=True
    )
    assert isinstance(good, Blob)
    assert good.data == DATA[1000:]
    assert isinstance(bad, FormatError)


async def test_a_failure_reaches_all_who_wait() -> None:
    objects = Objects(DATA)
    objects.error = StoreError("gone")
    store = CoalescingStore(objects)
    results = await asyncio.gather(
        *(store.get_range("key", R(n, n + 1)) for n in range(3)), return_exceptions=True
    )
    assert [type(result) for result in results] == [StoreError] * 3
    assert len(objects.asked) == 1


async def test_a_read_goes_on_while_a_caller_waits_and_is_cancelled_after_the_last() -> None:
    objects = Objects(DATA)
    objects.gate.clear()
    store = CoalescingStore(objects)
    leaver, stayer = (asyncio.ensure_future(store.get_range("key", R(n, n + 1))) for n in range(2))
    while not objects.asked:  # noqa: ASYNC110 - a list has no event
        await asyncio.sleep(0)
    leaver.cancel()
    await asyncio.gather(leaver, return_exceptions=True)
    objects.gate.set()
    blob = await stayer
    assert blob is not None
    assert (blob.data, objects.cancelled) == (DATA[1:2], 0)

    objects.gate.clear()
    last = asyncio.ensure_future(store.get_range("key", R(0, 1)))
    while len(objects.asked) < 2:  # noqa: ASYNC110 - a list has no event
        await asyncio.sleep(0)
    last.cancel()
    await asyncio.gather(last, return_exceptions=True)
    await store.close()
    assert objects.cancelled == 1


async def test_a_read_for_one_alone_ends_with_the_store() -> None:
    objects = Objects(DATA)
    objects.gate.clear()
    store = CoalescingStore(objects)
    alone = asyncio.ensure_future(store.get_range("key", R(0, 1)))
    while not objects.asked:  # noqa: ASYNC110 - a list has no event
        await asyncio.sleep(0)
    await store.close()
    assert objects.cancelled == 1
    assert alone.cancelled()


async def test_caller_that_is_cancelled_before_the_read_started_reads_nothing() -> None:
    objects = Objects(DATA)
    store = CoalescingStore(objects)
    leaver = asyncio.ensure_future(store.get_range("key", R(0, 1)))
    await asyncio.sleep(0)
    leaver.cancel()
    await asyncio.gather(leaver, return_exceptions=True)
    await asyncio.sleep(0)
    await store.close()
    assert objects.asked == []


async def test_names_are_those_of_the_underlying_store() -> None:
    objects = Objects(DATA)
    store = CoalescingStore(objects)
    assert (store.url, store.identity) == (objects.url, objects.identity)
    await store.close()


async def test_tails_are_read_from_the_underlying_store() -> None:
    store = CoalescingStore(Objects(DATA))
    blob = await store.get_tail("key", 10)
    assert blob == Blob(DATA[-10:], Version())
    assert await store.get_tail("absent", 10) is None
