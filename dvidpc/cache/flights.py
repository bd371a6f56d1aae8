"""In-flight loads that callers share; a load without callers is cancelled."""

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")


class Flight:
    """An in-flight load, the number of shares in it, and the callers waiting right now."""

    __slots__ = ("shares", "task", "waiters")

    def __init__(self) -> None:
        self.task: asyncio.Task[Any]
        self.shares = 0
        self.waiters: set[asyncio.Future[None]] = set()

    async def wait(self) -> None:
        """Return once the load is over, however it ended; cancelling the caller does not cancel the load.

        `asyncio.wait` would do the same, but costs a third of the CPU of a cold block.
        """
        if self.task.done():
            return
        waiter = asyncio.get_running_loop().create_future()
        self.waiters.add(waiter)
        try:
            await waiter
        finally:
            self.waiters.discard(waiter)

    def wake(self) -> None:
        """Wake the waiting callers at the next turn of the event loop."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(None)


class Share(Generic[T]):
    """A share in an in-flight load, which is cancelled once all shares are given up."""

    __slots__ = ("_flight", "_leave")

    def __init__(self, flight: Flight, leave: Callable[[], None]) -> None:
        self._flight = flight
        self._leave = leave
        flight.shares += 1

    async def value(self) -> T:
        """Return what was loaded.

        Raises:
            Exception: Whatever the load raised.
        """
        await self._flight.wait()
        return cast("T", self._flight.task.result())

    def failure(self) -> BaseException | None:
        """Return what the load raised; None if it is in flight, succeeded or was cancelled."""
        task = self._flight.task
        return task.exception() if task.done() and not task.cancelled() else None

    def give_up(self) -> None:
        """Give the share up; call it exactly once."""
        self._flight.shares -= 1
        if not self._flight.shares:
            self._leave()
