"""The caches that all volumes share follow the configuration."""

from concurrent.futures import ThreadPoolExecutor

from dvidpc.cache.loading_cache import FRESH_S, MISSING, LoadingCache
from dvidpc.config import CacheConfig, LimitsConfig
from dvidpc.volume.resources import Resources, make_resources
from tests.waiting import Clock


def test_each_cache_has_its_own_budget() -> None:
    with ThreadPoolExecutor(1) as pool:
        resources = make_resources(CacheConfig(memory=1000, index_memory=200), LimitsConfig(), pool)
    assert (resources.payloads.max_bytes, resources.indexes.max_bytes) == (1000, 200)
    assert resources.caches == (resources.payloads, resources.held, resources.indexes)
    assert resources.tools.indexes is resources.indexes
    assert resources.tools.isolation is resources.isolation


async def test_old_blocks_and_indexes_expire() -> None:
    clock = Clock()
    payloads, indexes = (LoadingCache(10_000, absence_ttl_s=30, clock=clock) for _ in range(2))

    async def load() -> bytes:
        return b"value"

    with ThreadPoolExecutor(1) as pool:
        resources = Resources(payloads, indexes, pool)
        for cache in (payloads, indexes):
            await cache.get_or_load("key", load)
        clock.now += FRESH_S
        resources.expire()
    assert payloads.peek("key") is MISSING
    assert indexes.peek("key") is MISSING
