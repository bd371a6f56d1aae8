"""Who is worked for and who waits: so many requests at a time, so many in the queue, each for so long.

A request for data passes `Admission.run`; what is answered from memory, such as health and documents, does
not. One timer for all looks after those that take too long: none is set per request.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from dvidpc.config import LimitsConfig
from dvidpc.errors import OverloadedError, StoreTimeoutError
from dvidpc.tasks import every

SWEEP_S: Final = 0.25
"""How often those that take too long are looked for; they may take so much longer."""
_RETRY_AFTER_S: Final = (1, 3)
"""Between which whole seconds refused clients are told to come back, so that they do not come at once."""


class _Flight:
    """A request being worked on or waiting."""

    __slots__ = ("overdue", "request", "since", "task")

    def __init__(self, request: web.Request, task: "asyncio.Task[object] | None", since: float) -> None:
        self.request = request
        self.task = task
        self.since = since
        self.overdue = False


class Admission:
    """Lets requests in as places become free, first come first served.

    Args:
        limits: How many and how long; `use` changes them.
        shortage: Why nobody can be let in now; None: somebody can.
        clock: Seconds, monotonic.
        draw: Draws the seconds of a `Retry-After` between two numbers, both included.
    """

    def __init__(
        self,
        limits: LimitsConfig,
        *,
        shortage: Callable[[], str | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[int, int], int] = random.randint,
    ) -> None:
        self._limits = limits
        self._shortage = shortage
        self._clock = clock
        self._draw = draw
        self._flights: set[_Flight] = set()
        self._places = limits.max_in_flight
        self._queue: deque[tuple[asyncio.Future[None], float]] = deque()

    @property
    def in_flight(self) -> int:
        """Requests worked on."""
        return self._limits.max_in_flight - self._places

    @property
    def max_in_flight(self) -> int:
        """The most requests worked on at a time."""
        return self._limits.max_in_flight

    @property
    def waiting(self) -> int:
        """Requests that wait for their turn."""
        return len(self._queue)

    def use(self, limits: LimitsConfig) -> None:
        """Let in as many as *limits* say from now on; those who are in stay."""
        self._places += limits.max_in_flight - self._limits.max_in_flight
        self._limits = limits
        self._call_next()

    async def run(
        self, request: web.Request, handler: Callable[[], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """What *handler* answers, once it is the turn of *request*.

        Raises:
            OverloadedError: Too many wait, the wait was too long, or memory is short.
            StoreTimeoutError: No byte of the answer was sent until the deadline.
        """
        shortage = self._shortage()
        if shortage is not None:
            raise self._refusal(shortage)
        flight = _Flight(request, asyncio.current_task(), self._clock())
        if self._places > 0:
            self._places -= 1
        else:
            await self._wait()
        self._flights.add(flight)
        try:
            return await handler()
        except asyncio.CancelledError:
            if flight.overdue and flight.task is not None and flight.task.uncancel() == 0:
                raise StoreTimeoutError(
                    f"no answer within {self._limits.request_deadline_s:g} s (request_deadline)"
                ) from None
            raise
        finally:
            self._flights.discard(flight)
            self._places += 1
            if self._queue:
                self._call_next()

    async def sweep(self) -> None:
        """Refuse those who wait too long, and end what is overdue; until cancelled."""
        await every(SWEEP_S, self._sweep_once)

    def _sweep_once(self) -> None:
        now = self._clock()
        self._refuse_tired(now)
        self._end_overdue(now)

    async def _wait(self) -> None:
        """Return with a place."""
        if len(self._queue) >= self._limits.max_waiting:
            raise self._refusal(f"{len(self._queue)} requests wait already (max_waiting)")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((turn, self._clock()))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._places += 1
                self._call_next()
            raise

    def _call_next(self) -> None:
        while self._queue and self._places > 0:
            turn, _ = self._queue.popleft()
            if not turn.done():
                self._places -= 1
                turn.set_result(None)

    def _refuse_tired(self, now: float) -> None:
        while self._queue and (
            self._queue[0][0].done() or now - self._queue[0][1] >= self._limits.wait_timeout_s
        ):
            turn, since = self._queue.popleft()
            if not turn.done():
                turn.set_exception(self._refusal(f"no turn within {now - since:.1f} s (wait_timeout)"))

    def _end_overdue(self, now: float) -> None:
        for flight in self._flights:
            is_overdue = now - flight.since >= self._limits.request_deadline_s
            if (
                is_overdue
                and not flight.overdue
                and flight.task is not None
                and not _has_begun(flight.request)
            ):
                flight.overdue = True
                flight.task.cancel()

    def _refusal(self, reason: str) -> OverloadedError:
        return OverloadedError(f"too much to do: {reason}; try again soon", self._draw(*_RETRY_AFTER_S))


def _has_begun(request: web.Request) -> bool:
    """Whether a byte of the answer was sent."""
    return bool(request.writer.output_size)
