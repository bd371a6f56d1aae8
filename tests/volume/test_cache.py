"""The loading cache: one load a key, bounded, nothing wrong kept."""

import asyncio
from collections.abc import Callable

import pytest

from dvidpc.volume.cache import MISSING, LoadingCache


class Clock:
    """A clock that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def make_cache(max_bytes: int = 10_000, clock: Clock | None = None) -> LoadingCache:
    return LoadingCache(max_bytes, absence_ttl_s=30, clock=clock or Clock())


class Source:
    """Loads values when it is told to, and counts how often it was asked."""

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


async def soon(claim: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not claim():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0)


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


async def test_loads_are_shared_even_where_nothing_is_kept() -> None:
    cache, source = make_cache(max_bytes=0), Source()
    waiters = [asyncio.ensure_future(cache.get_or_load("key", source.load)) for _ in range(20)]
    await soon(lambda: source.loads > 0)
    source.may_go.set()
    assert await asyncio.gather(*waiters) == [b"value"] * 20
    assert source.loads == 1
    assert cache.peek("key") is MISSING


async def test_a_failure_reaches_all_who_wait_and_is_not_kept() -> None:
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


async def test_an_absence_is_believed_for_a_while_only() -> None:
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


async def test_a_load_goes_on_for_those_who_stay() -> None:
    cache, source = make_cache(), Source()
    leaver = asyncio.ensure_future(cache.get_or_load("key", source.load))
    stayer = asyncio.ensure_future(cache.get_or_load("key", source.load))
    await soon(lambda: source.loads > 0)
    leaver.cancel()
    await asyncio.gather(leaver, return_exceptions=True)
    source.may_go.set()
    assert await stayer == b"value"
    assert not source.cancelled


async def test_a_load_nobody_waits_for_is_cancelled_and_may_be_begun_anew() -> None:
    cache, source = make_cache(), Source()
    leaver = asyncio.ensure_future(cache.get_or_load("key", source.load))
    await soon(lambda: source.loads > 0)
    leaver.cancel()
    await asyncio.gather(leaver, return_exceptions=True)
    await soon(lambda: source.cancelled)
    source.may_go.set()
    assert await cache.get_or_load("key", source.load) == b"value"
    assert source.loads == 2


async def test_the_least_recently_used_go_first() -> None:
    cache = make_cache(max_bytes=3 * 1200)
    for key in ("a", "b", "c"):
        await cache.get_or_load(key, lambda: asyncio.sleep(0, bytes(1000)))
    cache.peek("a")
    await cache.get_or_load("d", lambda: asyncio.sleep(0, bytes(1000)))
    assert [key for key in "abcd" if cache.peek(key) is not MISSING] == ["a", "c", "d"]
    assert cache.nbytes <= cache.max_bytes
    assert cache.counts.evictions == 1


async def test_what_is_larger_than_the_budget_is_served_and_not_kept() -> None:
    cache = make_cache(max_bytes=1000)
    assert await cache.get_or_load("big", lambda: asyncio.sleep(0, bytes(2000))) == bytes(2000)
    assert cache.peek("big") is MISSING


async def test_a_dropped_key_is_not_brought_back_by_a_load_under_way() -> None:
    cache, source = make_cache(), Source()
    waiter = asyncio.ensure_future(cache.get_or_load("key", source.load))
    await soon(lambda: source.loads > 0)
    cache.drop("key")
    source.may_go.set()
    assert await waiter == b"value"
    assert cache.peek("key") is MISSING


@pytest.mark.parametrize("count", [1, 7])
async def test_keys_are_dropped_by_what_they_are(count: int) -> None:
    cache = make_cache()
    for number in range(count):
        await cache.get_or_load(("shard", number), lambda: asyncio.sleep(0, b"x"))
    await cache.get_or_load("other", lambda: asyncio.sleep(0, b"x"))
    cache.drop_where(lambda key: isinstance(key, tuple) and key[0] == "shard")
    assert len(cache) == 1
