"""`LoadingCache`: one load per key, bounded memory, and failures are not cached."""

import asyncio
import gc

import pytest

from dvidpc.cache.loading_cache import MISSING, LoadingCache
from dvidpc.errors import (
    DvidpcError,
    FormatError,
    ObjectChangedError,
    StoreBusyError,
    StoreError,
    StoreRefusedError,
    StoreTimeoutError,
)
from tests.waiting import Clock, soon


def make_cache(max_bytes: int = 10_000, clock: Clock | None = None) -> LoadingCache:
    return LoadingCache(max_bytes, absence_ttl_s=30, clock=clock or Clock())


class Source:
    """Loads a value once *may_go* is set, and counts the loads."""

    def __init__(self, value: bytes | None = b"value") -> None:
        self.value = value
        self.loads = 0
        self.may_go = asyncio.Event()
        self.cancelled = False

    async def load(self) -> bytes | None:
        self.loads += 1
        try:
            await self.may_go.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return self.value


async def test_a_value_is_loaded_once() -> None:
    cache, source = make_cache(), Source()
    source.may_go.set()
    for _ in range(3):
        assert await cache.get_or_load("key", source.load) == b"value"
    assert source.loads == 1
    assert (cache.counts.hits, cache.counts.misses) == (2, 1)


async def test_requests_at_the_same_time_share_one_load() -> None:
    cache, source = make_cache(), Source()
    waiters = [asyncio.ensure_future(cache.get_or_load("key", source.load)) for _ in range(200)]
    await soon(lambda: source.loads > 0)
    source.may_go.set()
    assert await asyncio.gather(*waiters) == [b"value"] * 200
    assert source.loads == 1
    assert cache.counts.shared == 199


async def test_loads_are_shared_even_if_nothing_is_cached() -> None:
    cache, source = make_cache(max_bytes=0), Source()
    waiters = [asyncio.ensure_future(cache.get_or_load("key", source.load)) for _ in range(20)]
    await soon(lambda: source.loads > 0)
    source.may_go.set()
    assert await asyncio.gather(*waiters) == [b"value"] * 20
    assert source.loads == 1
    assert cache.peek("key") is MISSING


async def test_a_failure_reaches_all_callers_and_is_not_cached() -> None:
    cache = make_cache()

    async def fail() -> bytes:
        await asyncio.sleep(0)
        raise OSError("broken")

    results = await asyncio.gather(
        *(cache.get_or_load("key", fail) for _ in range(3)), return_exceptions=True
    )
    assert all(isinstance(result, OSError) for result in results)
    source = Source()
    source.may_go.set()
    assert await cache.get_or_load("key", source.load) == b"value"


async def test_a_failure_is_not_logged_if_the_only_caller_has_just_left() -> None:
    said: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: said.append(context))
    cache = make_cache()

    async def leave_and_fail() -> bytes:
        waiter.cancel()
        raise StoreError("down")

    waiter = asyncio.ensure_future(cache.get_or_load("key", leave_and_fail))
    await asyncio.wait([waiter])
    assert waiter.cancelled()
    await asyncio.sleep(0)
    gc.collect()
    assert said == []


async def test_cleared_values_are_loaded_again() -> None:
    cache, source = make_cache(), Source()
    source.may_go.set()
    await cache.get_or_load("key", source.load)
    cache.clear()
    assert (cache.nbytes, len(cache), cache.peek("key")) == (0, 0, MISSING)
    assert await cache.get_or_load("key", source.load) == b"value"
    assert source.loads == 2


async def test_an_absence_is_cached_for_a_limited_time() -> None:
    clock = Clock()
    cache, source = make_cache(clock=clock), Source(None)
    source.may_go.set()
    assert await cache.get_or_load("key", source.load) is None
    clock.now = 29
    assert cache.peek("key") is None
    clock.now = 31
    assert cache.peek("key") is MISSING
    source.value = b"uploaded since"
    assert await cache.get_or_load("key", source.load) == b"uploaded since"


async def test_a_load_continues_for_the_remaining_callers() -> None:
    cache, source = make_cache(), Source()
    leaver = asyncio.ensure_future(cache.get_or_load("key", source.load))
    stayer = asyncio.ensure_future(cache.get_or_load("key", source.load))
    await soon(lambda: source.loads > 0)
    leaver.cancel()
    await asyncio.gather(leaver, return_exceptions=True)
    source.may_go.set()
    assert await stayer == b"value"
    assert not source.cancelled


async def test_an_abandoned_load_is_cancelled_and_can_be_started_again() -> None:
    cache, source = make_cache(), Source()
    leaver = asyncio.ensure_future(cache.get_or_load("key", source.load))
    await soon(lambda: source.loads > 0)
    leaver.cancel()
    await asyncio.gather(leaver, return_exceptions=True)
    await soon(lambda: source.cancelled)
    source.may_go.set()
    assert await cache.get_or_load("key", source.load) == b"value"
    assert source.loads == 2


async def test_the_least_recently_used_are_evicted_first() -> None:
    cache = make_cache(max_bytes=3 * 11_000)
    for key in ("a", "b", "c"):
        await cache.get_or_load(key, lambda: asyncio.sleep(0, bytes(10_000)))
    cache.peek("a")
    await cache.get_or_load("d", lambda: asyncio.sleep(0, bytes(10_000)))
    assert [key for key in "abcd" if cache.peek(key) is not MISSING] == ["a", "c", "d"]
    assert cache.nbytes <= cache.max_bytes
    assert cache.counts.evictions == 1


async def test_a_value_larger_than_the_budget_is_served_but_not_cached() -> None:
    cache = make_cache(max_bytes=1000)
    assert await cache.get_or_load("big", lambda: asyncio.sleep(0, bytes(2000))) == bytes(2000)
    assert cache.peek("big") is MISSING


async def test_a_dropped_key_is_not_restored_by_an_in_flight_load() -> None:
    cache, source = make_cache(), Source()
    waiter = asyncio.ensure_future(cache.get_or_load("key", source.load))
    await soon(lambda: source.loads > 0)
    cache.drop("key")
    source.may_go.set()
    assert await waiter == b"value"
    assert cache.peek("key") is MISSING


@pytest.mark.parametrize("count", [1, 7])
async def test_keys_are_dropped_by_a_predicate(count: int) -> None:
    cache = make_cache()
    for number in range(count):
        await cache.get_or_load(("shard", number), lambda: asyncio.sleep(0, b"x"))
    await cache.get_or_load("other", lambda: asyncio.sleep(0, b"x"))
    cache.drop_where(lambda key: isinstance(key, tuple) and key[0] == "shard")
    assert len(cache) == 1


def aging_cache(clock: Clock) -> LoadingCache:
    return LoadingCache(10_000, absence_ttl_s=30, clock=clock, fresh_s=100, stale_s=50)


async def give(value: bytes | None) -> bytes | None:
    return value


async def fail(error: Exception) -> bytes | None:
    raise error


async def test_an_old_value_is_loaded_again() -> None:
    clock = Clock()
    cache = aging_cache(clock)
    assert await cache.get_or_load("key", lambda: give(b"old")) == b"old"
    clock.now = 99
    cache.expire()
    assert await cache.get_or_load("key", lambda: give(b"new")) == b"old"
    clock.now = 100
    cache.expire()
    assert cache.peek("key") is MISSING
    assert cache.last_known("key") == b"old"
    assert await cache.get_or_load("key", lambda: give(b"new")) == b"new"
    assert len(cache) == 1


@pytest.mark.parametrize("outage", [StoreError("503"), StoreTimeoutError("slow"), StoreBusyError("429")])
async def test_an_old_value_is_served_while_the_bucket_is_down(outage: StoreError) -> None:
    clock = Clock()
    cache = aging_cache(clock)
    await cache.get_or_load("key", lambda: give(b"old"))
    clock.now = 100
    cache.expire()
    assert await cache.get_or_load("key", lambda: fail(outage)) == b"old"
    assert await cache.get_or_load("key", lambda: fail(outage)) == b"old"
    assert cache.counts.stale == 2
    assert await cache.get_or_load("key", lambda: give(b"new")) == b"new"
    clock.now = 151
    cache.expire()
    assert cache.peek("key") == b"new"


@pytest.mark.parametrize(
    "answer", [ObjectChangedError("412"), StoreRefusedError("403"), FormatError("broken")]
)
async def test_an_old_value_is_not_served_when_the_bucket_answers(answer: DvidpcError) -> None:
    clock = Clock()
    cache = aging_cache(clock)
    await cache.get_or_load("key", lambda: give(b"old"))
    clock.now = 100
    cache.expire()
    with pytest.raises(type(answer)):
        await cache.get_or_load("key", lambda: fail(answer))


async def test_an_old_value_is_dropped_in_the_end_or_with_its_key() -> None:
    clock = Clock()
    cache = aging_cache(clock)
    for key in ("a", "b"):
        await cache.get_or_load(key, lambda: give(b"old"))
    clock.now = 100
    cache.expire()
    cache.drop_where(lambda key: key == "a")
    assert cache.last_known("a") is MISSING
    clock.now = 150
    cache.expire()
    assert cache.last_known("b") is MISSING
    assert len(cache) == 0
    assert cache.nbytes == 0


async def test_ages_are_kept_only_for_cached_values() -> None:
    clock = Clock()
    cache = aging_cache(clock)
    for number in range(1000):
        clock.now += 1
        await cache.get_or_load(number, lambda: give(bytes(100)))
        cache.expire()
    assert cache.nbytes <= 10_000
    assert len(cache) < 100


async def test_a_caller_that_arrives_just_after_a_load_ended_is_not_left_waiting() -> None:
    cache, source = make_cache(max_bytes=0), Source()
    first = asyncio.ensure_future(cache.get_or_load("key", source.load))
    await soon(lambda: source.loads > 0)
    source.may_go.set()
    late: list[asyncio.Task[bytes | None]] = []
    async with asyncio.timeout(5):
        while not first.done():
            late.append(asyncio.ensure_future(cache.get_or_load("key", source.load)))
            await asyncio.sleep(0)
        assert await asyncio.gather(first, *late) == [b"value"] * (1 + len(late))


async def test_a_share_given_up_before_the_load_began_leaves_nothing_behind() -> None:
    cache, source = make_cache(), Source()
    cache.begin("key", source.load).give_up()
    await asyncio.sleep(0)
    assert source.loads == 0
    source.may_go.set()
    assert await cache.get_or_load("key", source.load) == b"value"
    assert cache.counts.misses == 2


async def test_a_share_joins_the_in_flight_load() -> None:
    cache, source = make_cache(), Source()
    shares = [cache.begin("key", source.load) for _ in range(3)]
    waiter = asyncio.ensure_future(cache.get_or_load("key", source.load))
    shares[0].give_up()
    await soon(lambda: source.loads > 0)
    shares[1].give_up()
    source.may_go.set()
    assert await shares[2].value() == b"value"
    shares[2].give_up()
    assert await waiter == b"value"
    assert source.loads == 1


async def test_a_failed_load_is_retried_by_the_next_caller_even_if_it_still_has_shares() -> None:
    cache, source = make_cache(), Source()
    share = cache.begin("key", lambda: fail(StoreError("down")))
    with pytest.raises(StoreError):
        await share.value()
    source.may_go.set()
    assert await cache.get_or_load("key", source.load) == b"value"
    share.give_up()
    assert cache.peek("key") == b"value"


async def test_an_unretrieved_failure_raises_no_warning() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    cache = make_cache()
    share = cache.begin("key", lambda: fail(StoreError("down")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    share.give_up()
    del share
    gc.collect()
    assert complaints == []


async def test_a_load_that_fails_while_being_cancelled_raises_no_warning() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    cache = make_cache()

    async def load() -> bytes:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise StoreError("too late") from None
        return b""

    share = cache.begin("key", load)
    await asyncio.sleep(0)
    share.give_up()
    await asyncio.sleep(0)
    del share
    gc.collect()
    assert complaints == []
