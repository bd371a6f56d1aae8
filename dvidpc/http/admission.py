"""Limit how many data requests are handled at a time, how many wait, and for how long.

Data requests pass `Admission.run`, or `run_patiently` if an error would end their client. Requests answered
from memory, such as health and documents, pass neither. One timer checks the timeouts of all requests,
because setting a timer per request would cost more.
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
from dvidpc.http.aiohttp_internals import bytes_sent
from dvidpc.http.patient_queue import PatientQueue, was_admitted

SWEEP_S: Final = 0.25
"""How often the timeouts are checked; a request may exceed its timeout by as much."""
_RETRY_AFTER_S: Final = (1, 3)
"""`Retry-After` range in seconds; randomised so that clients do not return at once."""
_PATIENT_SHARE: Final = 0.75
"""Share of the places that patient requests may hold at a time: each may keep its place for a long time."""

Handle = Callable[[], Awaitable[web.StreamResponse]]
"""Makes the response to a request."""


class _Flight:
    """A request that has been admitted, or is waiting to be."""

    __slots__ = ("overdue", "request", "since", "task")

    def __init__(self, request: web.Request, task: "asyncio.Task[object] | None", since: float) -> None:
        self.request = request
        self.task = task
        self.since = since
        self.overdue = False


class Admission:
    """Admits requests in order of arrival, up to a limit; ordinary and patient requests take turns.

    Args:
        limits: How many requests, and for how long; `use` replaces them.
        shortage: Returns why no request can be admitted now; None if requests can be.
        clock: Monotonic time in seconds.
        draw: Returns a random integer between two numbers, both inclusive, for `Retry-After`.
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
        self.busy: Final = asyncio.Event()
        """Whether requests are being handled or wait, or were until the last sweep; timers rest if not."""
        self._patient_queue = PatientQueue()
        self._patient_in_flight = 0
        self._patient_is_next = False

    @property
    def in_flight(self) -> int:
        """Requests being handled."""
        return self._limits.max_in_flight - self._places

    @property
    def max_in_flight(self) -> int:
        """The limit on requests being handled."""
        return self._limits.max_in_flight

    @property
    def waiting(self) -> int:
        """Requests in the queues."""
        return len(self._queue) + len(self._patient_queue)

    def use(self, limits: LimitsConfig) -> None:
        """Apply *limits* from now on; requests that were admitted already continue."""
        self._places += limits.max_in_flight - self._limits.max_in_flight
        self._limits = limits
        self._admit_next()

    async def run(self, request: web.Request, handler: Handle) -> web.StreamResponse:
        """Wait until *request* is admitted, then return the response of *handler*.

        Raises:
            OverloadedError: The queue is full, the wait timed out, or memory is short.
            StoreTimeoutError: No byte of the response was sent before the deadline.
        """
        shortage = self._shortage()
        if shortage is not None:
            raise self._refusal(shortage)
        flight = _Flight(request, asyncio.current_task(), self._clock())
        self.busy.set()
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
                    f"no response within {self._limits.request_deadline_s:g} s (request_deadline)"
                ) from None
            raise
        finally:
            self._flights.discard(flight)
            self._places += 1
            if self._queue or self._patient_queue.turns:
                self._admit_next()

    async def run_patiently(
        self,
        request: web.Request,
        until: float,
        handler: Handle,
        late: Callable[[str], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """Wait until *request* is admitted, whatever the load, then return the response of *handler*.

        A full queue and a lack of memory make such a request wait instead of refusing it, and
        `request_deadline` does not apply to it. While it waits, it holds nothing but its head.

        Args:
            request: A request whose client an error would end.
            until: When its patience ends, by the clock.
            handler: Makes the response, with a place.
            late: Makes the response without a place, given the reason; it must not cost memory.
        """
        nbytes = len(request.raw_path)
        self.busy.set()
        if not self._patient_queue and self._may_admit_patient():
            self._places -= 1
            self._patient_in_flight += 1
        elif not self._patient_queue.has_room(nbytes):
            return await late("too many requests are waiting")
        elif not await self._wait_patiently(until, nbytes):
            return await late("not admitted within patient_wait_timeout")
        try:
            return await handler()
        finally:
            self._leave_patient()

    async def sweep(self) -> None:
        """Check the timeouts regularly while there are requests, until cancelled."""
        while True:
            await self.busy.wait()
            await asyncio.sleep(SWEEP_S)
            self.sweep_once()

    def sweep_once(self) -> None:
        """Refuse requests that have waited too long, and cancel those past their deadline."""
        now = self._clock()
        self._end_waits(now)
        self._patient_queue.end_waits(now)
        self._admit_next()  # there may be enough memory again
        self._cancel_overdue(now)
        if not (self._flights or self._queue or self._patient_queue or self._patient_in_flight):
            self.busy.clear()

    async def _wait(self) -> None:
        """Wait in the queue; on return, the caller holds one place."""
        if len(self._queue) >= self._limits.max_waiting:
            raise self._refusal(f"{len(self._queue)} requests are waiting already (max_waiting)")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((turn, self._clock()))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._places += 1
                self._admit_next()
            raise

    async def _wait_patiently(self, until: float, nbytes: int) -> bool:
        """Wait in the patient queue; return whether the caller holds a place."""
        turn = self._patient_queue.add(until, nbytes)
        try:
            return await turn
        except asyncio.CancelledError:
            if was_admitted(turn):
                self._leave_patient()
            raise
        finally:
            self._patient_queue.remove(turn, nbytes)

    def _leave_patient(self) -> None:
        self._patient_in_flight -= 1
        self._places += 1
        self._admit_next()

    def _may_admit_patient(self) -> bool:
        most = max(1, int(self._limits.max_in_flight * _PATIENT_SHARE))
        return self._places > 0 and self._patient_in_flight < most and self._shortage() is None

    def _admit_next(self) -> None:
        """Admit whoever may enter, from the two queues by turns."""
        while self._places > 0 and (self._queue or self._patient_queue):
            admit, otherwise = self._admit_ordinary, self._admit_patient
            if self._patient_is_next:
                admit, otherwise = otherwise, admit
            if not admit() and not otherwise():
                return

    def _admit_ordinary(self) -> bool:
        while self._queue:
            turn, _ = self._queue.popleft()
            if not turn.done():
                self._places -= 1
                self._patient_is_next = True
                turn.set_result(None)
                return True
        return False

    def _admit_patient(self) -> bool:
        if not self._patient_queue or not self._may_admit_patient() or not self._patient_queue.admit_next():
            return False
        self._places -= 1
        self._patient_in_flight += 1
        self._patient_is_next = False
        return True

    def _end_waits(self, now: float) -> None:
        while self._queue and (
            self._queue[0][0].done() or now - self._queue[0][1] >= self._limits.wait_timeout_s
        ):
            turn, since = self._queue.popleft()
            if not turn.done():
                turn.set_exception(self._refusal(f"not admitted within {now - since:.1f} s (wait_timeout)"))

    def _cancel_overdue(self, now: float) -> None:
        for flight in self._flights:
            is_overdue = now - flight.since >= self._limits.request_deadline_s
            if (
                is_overdue
                and not flight.overdue
                and flight.task is not None
                and not bytes_sent(flight.request)
            ):
                flight.overdue = True
                flight.task.cancel()

    def _refusal(self, reason: str) -> OverloadedError:
        return OverloadedError(
            f"the server is overloaded: {reason}; try again soon", self._draw(*_RETRY_AFTER_S)
        )
