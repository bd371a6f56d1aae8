"""Asks a store again when it fails, and not too much of it at a time."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from dvidpc.errors import ObjectChangedError, StoreError, StoreRefusedError, StoreTimeoutError
from dvidpc.storage.answers import name_object
from dvidpc.storage.base import Blob, ObjectStore, UpstreamLimits
from dvidpc.types import ByteRange

LEAST_WAIT_S = 0.05
MOST_WAIT_S = 1.0


class RetryingStore:
    """An `ObjectStore` that asks another one, up to `limits.attempts` times and for so long each.

    Waiting for one of the `limits.concurrency` places is not part of an attempt's time, and no place is
    held while waiting between attempts.
    """

    def __init__(
        self,
        store: ObjectStore,
        limits: UpstreamLimits,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._store = store
        self._limits = limits
        self._sleep = sleep
        self._uniform = uniform
        self._places = asyncio.Semaphore(limits.concurrency)

    @property
    def url(self) -> str:
        """As the store below names itself."""
        return self._store.url

    async def get(self, key: str, *, max_size: int) -> Blob | None:
        """As `ObjectStore.get`."""
        return await self._insist(key, lambda: self._store.get(key, max_size=max_size))

    async def get_range(self, key: str, byte_range: ByteRange, *, etag: str | None = None) -> Blob | None:
        """As `ObjectStore.get_range`."""
        return await self._insist(key, lambda: self._store.get_range(key, byte_range, etag=etag))

    async def close(self) -> None:
        """Close the store below."""
        await self._store.close()

    async def _insist(self, key: str, ask: Callable[[], Awaitable[Blob | None]]) -> Blob | None:
        for failures in range(1, self._limits.attempts):
            try:
                return await self._attempt(key, ask)
            except (ObjectChangedError, StoreRefusedError):
                raise
            except StoreError:
                await self._sleep(self._uniform(LEAST_WAIT_S, longest_wait_s(failures)))
        return await self._attempt(key, ask)

    async def _attempt(self, key: str, ask: Callable[[], Awaitable[Blob | None]]) -> Blob | None:
        async with self._places:
            try:
                async with asyncio.timeout(self._limits.attempt_timeout_s):
                    return await ask()
            except TimeoutError as error:
                raise StoreTimeoutError(
                    f"{name_object(self.url, key)} did not arrive within {self._limits.attempt_timeout_s:g} s"
                ) from error


def longest_wait_s(failures: int) -> float:
    """The most to wait after so many failures; how long is drawn between `LEAST_WAIT_S` and this."""
    return min(MOST_WAIT_S, LEAST_WAIT_S * 4.0**failures)
