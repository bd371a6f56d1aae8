"""Retries failed reads, limits concurrency, and stops asking a bucket that is down."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

from dvidpc.counters import TALLY
from dvidpc.errors import (
    ObjectChangedError,
    StoreBusyError,
    StoreError,
    StoreRefusedError,
    StoreTimeoutError,
)
from dvidpc.storage.base import Blob, ObjectStore, UpstreamLimits
from dvidpc.storage.object_checks import name_object
from dvidpc.storage.retry.pressure import AdaptiveLimit, Breaker, RetryBudget, plan_pause
from dvidpc.storage.retry.turns import Turns
from dvidpc.storage.retry.upstream_counts import UpstreamCounts, kind_of
from dvidpc.storage.store_above import StoreAbove
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange

log = logging.getLogger(__name__)


class Gate:
    """What all readers of one bucket share: concurrency limit, retry budget, circuit breaker."""

    def __init__(self, limits: UpstreamLimits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.budget = RetryBudget(limits.retry_budget, clock())
        self.limit = AdaptiveLimit(limits.concurrency)
        self.breaker = Breaker()
        self.clock = clock
        self.in_flight = 0
        self._queue = Turns()

    @property
    def waiting(self) -> int:
        """How many requests are queued."""
        return len(self._queue)

    async def enter(self) -> None:
        """Wait until another request may be in flight; call `leave` when it has ended."""
        if self._queue or self.in_flight >= self.limit.limit:
            await self._wait()
        else:
            self.in_flight += 1

    def leave(self) -> None:
        """Note that a request has ended."""
        self.in_flight -= 1
        self._wake()

    async def _wait(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        party = TALLY.get()
        self._queue.add(party, turn)
        try:
            await turn  # `_wake` has raised `in_flight`
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            self._queue.discard(party, turn)
            raise

    def _wake(self) -> None:
        while self._queue and self.in_flight < self.limit.limit:
            turn = self._queue.next()
            if turn is not None and not turn.done():
                self.in_flight += 1
                turn.set_result(None)


class RetryingStore(StoreAbove):
    """An `ObjectStore` that reads from another one, with up to `limits.attempts` attempts for each read.

    Time in the queue is not part of an attempt's time, and a pause between attempts holds no place of the
    concurrency limit. A replaced object, a refusal and malformed bytes are answers: they are not retried, and
    the bucket that gives them counts as healthy. Each attempt is counted in *counts*, and in the tally of the
    client's request that it belongs to.
    """

    def __init__(
        self,
        store: ObjectStore,
        limits: UpstreamLimits,
        gate: Gate | None = None,
        counts: UpstreamCounts | None = None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        super().__init__(store)
        self._limits = limits
        self._gate = gate or Gate(limits)
        self.counts = counts or UpstreamCounts()
        self._sleep = sleep
        self._uniform = uniform

    async def get(self, key: str, *, max_size: int, is_metadata: bool = False) -> Blob | None:
        """As `ObjectStore.get`."""
        return await self._with_retries(
            key, lambda: self._store.get(key, max_size=max_size, is_metadata=is_metadata)
        )

    async def get_range(
        self, key: str, byte_range: ByteRange, *, version: Version | None = None
    ) -> Blob | None:
        """As `ObjectStore.get_range`."""
        return await self._with_retries(key, lambda: self._store.get_range(key, byte_range, version=version))

    async def get_tail(self, key: str, size: int) -> Blob | None:
        """As `ObjectStore.get_tail`."""
        return await self._with_retries(key, lambda: self._store.get_tail(key, size))

    async def _with_retries(self, key: str, ask: Callable[[], Awaitable[Blob | None]]) -> Blob | None:
        self._gate.budget.deposit(self._gate.clock())
        failures = 0
        while True:
            try:
                return await self._attempt(key, ask)
            except (ObjectChangedError, StoreRefusedError, BreakerOpenError):
                raise
            except StoreError as error:
                failures += 1
                pause = plan_pause(failures, self._limits, _retry_after_of(error))
                if failures == self._limits.attempts or pause is None:
                    raise
                if not self._gate.budget.withdraw(self._gate.clock()):
                    raise
            self.counts.retries += 1
            await self._sleep(self._uniform(pause.least_s, pause.most_s))

    async def _attempt(self, key: str, ask: Callable[[], Awaitable[Blob | None]]) -> Blob | None:
        await self._gate.enter()
        try:
            return await self._admitted(key, ask)
        finally:
            self._gate.leave()

    async def _admitted(self, key: str, ask: Callable[[], Awaitable[Blob | None]]) -> Blob | None:
        gate = self._gate
        if not gate.breaker.admits(gate.clock()):
            raise BreakerOpenError(
                f"{name_object(self.url, key)} was not requested: the bucket keeps failing, and is "
                "probed every few seconds"
            )
        try:
            blob = await self._in_time(key, ask)
        except (ObjectChangedError, StoreRefusedError):
            gate.breaker.succeeded(gate.clock())
            raise
        except StoreError as error:
            self._note_failure(error)
            raise
        gate.limit.succeeded()
        gate.breaker.succeeded(gate.clock())
        return blob

    async def _in_time(self, key: str, ask: Callable[[], Awaitable[Blob | None]]) -> Blob | None:
        try:
            async with asyncio.timeout(self._limits.attempt_timeout_s):
                return await self._counted(ask)
        except TimeoutError as error:
            self.counts.errors["timeout"] += 1
            raise StoreTimeoutError(
                f"{name_object(self.url, key)} did not arrive within {self._limits.attempt_timeout_s:g} s"
            ) from error

    def _note_failure(self, error: StoreError) -> None:
        gate = self._gate
        if isinstance(error, StoreBusyError | StoreTimeoutError):
            gate.limit.overloaded(gate.clock())
        if gate.breaker.failed(gate.clock()):
            log.error(
                "bucket keeps failing: %s: only probed every few seconds from now on: %s", self.url, error
            )

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


class BreakerOpenError(StoreError):
    """Raised without a request, because the bucket failed too often lately."""


def _retry_after_of(error: StoreError) -> float | None:
    return error.retry_after_s if isinstance(error, StoreBusyError) else None
