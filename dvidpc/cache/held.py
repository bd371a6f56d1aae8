"""Decoded chunks kept for the duration of one request, so that blocks sharing a chunk decode it once."""

import math
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, TypeVar

from dvidpc.cache.loading_cache import LoadingCache

T = TypeVar("T")

HELD_BYTES: Final = 256 * 2**20
"""Limit in bytes for the decoded chunks of all in-flight requests, besides the configured cache."""


def make_held() -> LoadingCache:
    """Make the cache that all requests of a server share; the oldest values are evicted first."""
    return LoadingCache(HELD_BYTES, absence_ttl_s=math.inf, clock=lambda: 0.0)


class Hold:
    """The decoded chunks of one request, including absent ones; close it when the request ends.

    The configured cache may be too small for them or disabled. A chunk that both keep exists once: they share
    the same array.
    """

    def __init__(self, held: LoadingCache) -> None:
        self._held = held
        self._keys: set[Hashable] = set()
        self._is_open = True

    async def get_or_load(self, key: Hashable, load: Callable[[], Awaitable[T]]) -> T:
        """Return the value of *key*, loading it if this request has not done so yet."""
        if not self._is_open:  # another request waits for a load that this one started
            return await load()
        own = (self, key)
        self._keys.add(own)
        return await self._held.get_or_load(own, load)

    def close(self) -> None:
        """Drop everything."""
        self._is_open = False
        for key in self._keys:
            self._held.drop(key)
        self._keys.clear()
