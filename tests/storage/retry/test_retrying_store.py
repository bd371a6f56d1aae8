"""Reads are retried: how often, when, and when not."""

import asyncio
from collections.abc import Callable

import pytest

from dvidpc.errors import (
    DvidpcError,
    FormatError,
    ObjectChangedError,
    StoreBusyError,
    StoreError,
    StoreRefusedError,
    StoreTimeoutError,
)
from dvidpc.storage.base import Blob, UpstreamLimits
from dvidpc.storage.retry.retrying_store import BreakerOpenError, Gate, RetryingStore
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange

BLOB = Blob(b"data", Version('"etag"'))


class FlakyStore:
    """A store that fails as a test sets it, and counts its reads."""

    url = identity = "s3://bucket/image"
    oddity = None

    def __init__(self, *failures: DvidpcError) -> None:
        self.failures = list(failures)
        self.calls = 0
        self.in_flight = 0
        self.most_in_flight = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()
        self.closed = False

    def on_retracted(self, callback: Callable[[], None]) -> None:
        raise NotImplementedError(callback)

    async def get(self, key: str, *, max_size: int, is_metadata: bool = False) -> Blob | None:
        del key, max_size, is_metadata
        return await self._answer()

    async def get_range(
        self, key: str, byte_range: ByteRange, *, version: Version | None = None
    ) -> Blob | None:
        del key, byte_range, version
        return await self._answer()

    async def get_tail(self, key: str, size: int) -> Blob | None:
        del key, size
        return await self._answer()

    async def close(self) -> None:
        self.closed = True

    async def _answer(self) -> Blob:
        self.calls += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.asked.set()
        try:
            await asyncio.sleep(0)
            await self.gate.wait()
            if self.failures:
                raise self.failures.pop(0)
            return BLOB
        finally:
            self.in_flight -= 1


class Waits:
    """Records pauses instead of sleeping."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)


def retrying(
    store: FlakyStore, waits: Waits, uniform: Callable[[float, float], float] = max, **limits: float
) -> RetryingStore:
    return RetryingStore(store, UpstreamLimits(**limits), sleep=waits.sleep, uniform=uniform)  # type: ignore[arg-type]  # ints are floats


@pytest.mark.parametrize("failure", [StoreError("503"), StoreTimeoutError("slow")])
async def test_failures_are_retried(failure: StoreError) -> None:
    store, waits = FlakyStore(failure, failure), Waits()
    assert await retrying(store, waits).get("info", max_size=9) == BLOB
    assert store.calls == 3
    assert waits.seconds == [0.2, 0.8]


async def test_last_failure_is_raised() -> None:
    failures = [StoreError(str(number)) for number in range(4)]
    store = FlakyStore(*failures)
    with pytest.raises(StoreError, match="2"):
        await retrying(store, Waits()).get_range("0.shard", ByteRange(0, 4))
    assert store.calls == 3


@pytest.mark.parametrize(
    "failure", [FormatError("broken"), ObjectChangedError("replaced"), StoreRefusedError("403")]
)
async def test_what_asking_again_does_not_help_is_raised_at_once(failure: DvidpcError) -> None:
    store, waits = FlakyStore(failure), Waits()
    with pytest.raises(type(failure)):
        await retrying(store, waits).get("info", max_size=9)
    assert store.calls == 1
    assert waits.seconds == []


async def test_one_attempt_means_no_retry() -> None:
    store = FlakyStore(StoreError("503"))
    with pytest.raises(StoreError):
        await retrying(store, Waits(), attempts=1).get("info", max_size=9)
    assert store.calls == 1


@pytest.mark.parametrize(("asked_s", "waited_s"), [(None, 0.2), (0.0, 0.2), (2.0, 2.0), (5.0, 5.0)])
async def test_retry_after_is_waited_for(asked_s: float | None, waited_s: float) -> None:
    store, waits = FlakyStore(StoreBusyError("503", asked_s)), Waits()
    assert await retrying(store, waits).get("info", max_size=9) == BLOB
    assert waits.seconds == [waited_s]


async def test_long_retry_after_ends_the_attempts() -> None:
    store, waits = FlakyStore(StoreBusyError("503", 5.1)), Waits()
    with pytest.raises(StoreBusyError):
        await retrying(store, waits).get("info", max_size=9)
    assert store.calls == 1


async def test_retries_are_a_share_of_the_requests() -> None:
    store = FlakyStore(*(StoreError("503") for _ in range(1000)))
    reader = retrying(store, Waits(), attempts=10)
    for _ in range(19):  # the breaker has not seen 20 attempts when the budget's reserve is spent
        with pytest.raises(StoreError):
            await reader.get("info", max_size=9)
    assert store.calls <= 20


async def test_bucket_that_keeps_failing_is_only_probed() -> None:
    now = 100.0
    limits = UpstreamLimits(attempts=1)
    store = FlakyStore(*(StoreError("503") for _ in range(21)))
    reader = RetryingStore(store, limits, Gate(limits, clock=lambda: now))
    for _ in range(30):
        with pytest.raises(StoreError):
            await reader.get("info", max_size=9)
    assert store.calls == 20
    with pytest.raises(BreakerOpenError, match="s3://bucket/image/info was not requested"):
        await reader.get("info", max_size=9)
    for _ in range(2):
        now += 2
        with pytest.raises(StoreError):
            await reader.get("info", max_size=9) if store.failures else pytest.fail("no failure left")
        if not store.failures:
            break
    now += 2
    assert await reader.get("info", max_size=9) == BLOB
    assert await reader.get("info", max_size=9) == BLOB


async def test_refusals_and_replaced_objects_do_not_open_the_breaker() -> None:
    store = FlakyStore(*([StoreRefusedError("403"), ObjectChangedError("412")] * 30))
    reader = retrying(store, Waits())
    for _ in range(60):
        with pytest.raises(StoreError):
            await reader.get("info", max_size=9)
    assert await reader.get("info", max_size=9) == BLOB


async def test_volumes_of_one_bucket_share_its_places() -> None:
    limits = UpstreamLimits(concurrency=3)
    gate, store = Gate(limits), FlakyStore()
    readers = [RetryingStore(store, limits, gate) for _ in range(4)]
    await asyncio.gather(*(reader.get("info", max_size=9) for reader in readers for _ in range(10)))
    assert store.most_in_flight == 3


async def test_overload_lowers_how_much_is_asked_at_a_time() -> None:
    limits = UpstreamLimits(concurrency=64, attempts=1)
    gate = Gate(limits)
    store = FlakyStore(StoreBusyError("503"))
    reader = RetryingStore(store, limits, gate)
    with pytest.raises(StoreBusyError):
        await reader.get("info", max_size=9)
    await asyncio.gather(*(reader.get("info", max_size=9) for _ in range(100)))
    assert store.most_in_flight <= 36


async def test_those_who_give_up_waiting_leave_no_hole() -> None:
    limits = UpstreamLimits(concurrency=1)
    gate, store = Gate(limits), FlakyStore()
    store.gate.clear()
    reader = RetryingStore(store, limits, gate)
    reads = [asyncio.create_task(reader.get("info", max_size=9)) for _ in range(5)]
    await store.asked.wait()
    for read in reads[1:4]:
        read.cancel()
    await asyncio.wait(reads[1:4])
    store.gate.set()
    assert await reads[0] == await reads[4] == BLOB
    assert gate.in_flight == 0
    assert gate.waiting == 0


async def test_slow_attempt_is_a_timeout() -> None:
    store = FlakyStore()
    store.gate.clear()
    with pytest.raises(StoreTimeoutError, match="s3://bucket/image/info"):
        await retrying(store, Waits(), attempts=2, attempt_timeout_s=0.01).get("info", max_size=9)
    assert store.calls == 2
    assert store.in_flight == 0


async def test_no_more_reads_than_allowed_overlap() -> None:
    store = FlakyStore()
    reader = retrying(store, Waits(), concurrency=4)
    await asyncio.gather(*(reader.get("info", max_size=9) for _ in range(50)))
    assert store.calls == 50
    assert store.most_in_flight == 4


async def test_waiting_for_a_place_is_not_part_of_the_attempt() -> None:
    store = FlakyStore()
    store.gate.clear()
    reader = retrying(store, Waits(), concurrency=1, attempts=1, attempt_timeout_s=0.05)
    reads = [asyncio.create_task(reader.get("info", max_size=9)) for _ in range(2)]
    with pytest.raises(StoreTimeoutError):
        await reads[0]
    store.gate.set()
    assert await reads[1] == BLOB


async def test_cancellation_passes_and_frees_the_place() -> None:
    store = FlakyStore()
    store.gate.clear()
    reader = retrying(store, Waits(), concurrency=1)
    read = asyncio.create_task(reader.get("info", max_size=9))
    await store.asked.wait()
    read.cancel()
    with pytest.raises(asyncio.CancelledError):
        await read
    store.gate.set()
    assert await reader.get("info", max_size=9) == BLOB
    assert store.calls == 2


async def test_close_closes_the_store_below() -> None:
    store = FlakyStore()
    await retrying(store, Waits()).close()
    assert store.closed
