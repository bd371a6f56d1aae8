"""Waiting for several things at once without leaving any behind."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")


async def gather_or_cancel(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of *work*, all under way at once, in order.

    Unlike `asyncio.gather`, the rest is cancelled and waited for when one fails; unlike
    `asyncio.TaskGroup`, the failure is raised as it is.
    """
    tasks = [asyncio.ensure_future(coroutine) for coroutine in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await abandon(tasks)


async def every(period_s: float, step: Callable[[], None]) -> NoReturn:
    """Do *step* again and again until cancelled; where memory does not suffice for it, the next time does."""
    while True:
        await asyncio.sleep(period_s)
        with contextlib.suppress(MemoryError):
            step()


async def abandon(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel *tasks* where they are not done, and wait until they have ended; what they raise is dropped."""
    unfinished = list(tasks)
    for task in unfinished:
        task.cancel()
    await asyncio.gather(*unfinished, return_exceptions=True)
