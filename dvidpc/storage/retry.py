"""Asks a store again when it fails, and not too much of it at a time."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from dvidpc.errors import ObjectChangedError, StoreError, StoreRefusedError, StoreTimeoutError
from dvidpc.storage.answers import name_object
from dvidpc.storage.base import Blob, ObjectStore, UpstreamLimits
from dvidpc.storage.counts import UpstreamCounts, kind_of
from dvidpc.tally import TALLY
from dvidpc.types import ByteRange

LEAST_WAIT_S = 0.05
MOST_WAIT_S = 1.0


class RetryingStore:
    """An `ObjectStore` that asks another one, up to `limits.attempts` times and for so long each.

    Waiting for one of the `limits.concurrency` places is not part of an attempt's time, and no place is
    held while waiting between attempts. Every attempt is counted in *counts*, and in the tally of the
    request it is for.
    """

    def __init__(
        self,
        store: ObjectStore,
        limits: UpstreamLimits,
        counts: UpstreamCounts | None = None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._store = store
        self._limits = limits
        self.counts = counts or UpstreamCounts()
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
                self.counts.retries += 1
                await self._sleep(self._uniform(LEAST_WAIT_S, longest_wait_s(failures)))
        return await self._attempt(key, ask)

    async def _attempt(self, key: str, ask: Callable[[], Awaitable[Blob | None]]) -> Blob | None:
        async with self._places:
            try:
                async with asyncio.timeout(self._limits.attempt_timeout_s):
                    return await self._counted(ask)
            except TimeoutError as error:
                self.counts.errors["timeout"] += 1
                raise StoreTimeoutError(
                    f"{name_object(self.url, key)} did not arrive within {self._limits.attempt_timeout_s:g} s"
                ) from error

    async def _counted(self, ask: Callable[[], Awaitable[Blob | None]]) -> Blob | None:
        counts = self.counts
        counts.requests += 1
        counts.in_flight += 1
        TALLY.get().upstream += 1
        started = time.perf_counter()
        try:
            blob = await ask()
        except StoreError as error:
            counts.errors[kind_of(error)] += 1
            raise
        finally:
            counts.in_flight -= 1
            counts.seconds.observe(time.perf_counter() - started)
        if blob is not None:
            counts.nbytes += len(blob.data)
        return blob


def longest_wait_s(failures: int) -> float:
    """The most to wait after so many failures; how long is drawn between `LEAST_WAIT_S` and this."""
    return min(MOST_WAIT_S, LEAST_WAIT_S * 4.0**failures)
