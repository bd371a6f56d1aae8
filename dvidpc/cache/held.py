"""What one request keeps while it lasts, so that blocks that share a chunk have it decoded once."""

import math
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, TypeVar

from dvidpc.cache.loading_cache import LoadingCache

T = TypeVar("T")

HELD_BYTES: Final = 256 * 2**20
"""Decoded chunks that all requests under way keep at most, beside the cache of the configuration."""


def make_held() -> LoadingCache:
    """What all requests of a server keep; the oldest is dropped first where it is too much."""
    return LoadingCache(HELD_BYTES, absence_ttl_s=math.inf, clock=lambda: 0.0)


class Hold:
    """The decoded chunks of one request, absent ones included; to be closed when it ends.

    The cache may be too small for them, or keep nothing at all; what it does keep is not held twice,
    since both have the same arrays.
    """

    def __init__(self, held: LoadingCache) -> None:
        self._held = held
        self._keys: set[Hashable] = set()
        self._is_open = True

    async def get_or_load(self, key: Hashable, load: Callable[[], Awaitable[T]]) -> T:
        """The value of *key*, by *load* if this request has not loaded it yet."""
        if not self._is_open:  # another request waits for what this one began
            return await load()
        own = (self, key)
        self._keys.add(own)
        return await self._held.get_or_load(own, load)

    def close(self) -> None:
        """Let go of everything."""
        self._is_open = False
        for key in self._keys:
            self._held.drop(key)
        self._keys.clear()
