"""Run several coroutines without leaving any behind, and keep background work running."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable
from itertools import islice
from typing import Any, Final, NoReturn, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")

RESTART_AFTER_S: Final = 1.0
"""Pause before background work that failed is started again."""


async def gather_or_cancel(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run *work* concurrently and return the results in order.

    Unlike `asyncio.gather`, the rest is cancelled and awaited when one fails; unlike `asyncio.TaskGroup`,
    the failure is raised as it is.
    """
    tasks = [asyncio.ensure_future(coroutine) for coroutine in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await abandon(tasks)


async def in_order(work: Iterable[Coroutine[Any, Any, T]], at_a_time: int) -> AsyncGenerator[T, None]:
    """Yield the results of *work* in its order, while as many as *at_a_time* run or wait to be yielded.

    The first failure is raised in its turn; what runs then is cancelled, and the rest is not begun.
    """
    waiting = iter(work)
    pending: deque[asyncio.Task[T]] = deque()
    try:
        while True:
            for coroutine in islice(waiting, at_a_time - len(pending)):
                pending.append(asyncio.ensure_future(coroutine))
            if not pending:
                return
            yield await pending.popleft()
    finally:
        await abandon(pending)


async def abandon(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel *tasks* that are not done and wait until they have ended; drop what they raise."""
    unfinished = list(tasks)
    for task in unfinished:
        task.cancel()
    await asyncio.gather(*unfinished, return_exceptions=True)


def keep_running(
    name: str, work: Callable[[], Awaitable[None]], *, restart_after_s: float = RESTART_AFTER_S
) -> "asyncio.Task[None]":
    """Start background work that no exception can end: it is logged, and the work starts again.

    Every long-lived task of the server is started here. The task ends when *work* returns, or by `abandon`.

    Args:
        name: What the log calls the work.
        work: Makes the coroutine to run; called again for each restart.
        restart_after_s: Pause before a restart.
    """
    return asyncio.ensure_future(_restart_on_failure(name, work, restart_after_s))


def run_in_background(name: str, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    """Start one-off background work; an exception is logged, and nobody need await the task.

    Args:
        name: What the log calls the work.
        work: What to run.
    """
    task = asyncio.ensure_future(_log_failure(name, work))
    task.add_done_callback(lambda _: work.close())  # cancelled before it began, it would never be awaited
    return task


async def every(period_s: float, step: Callable[[], None]) -> NoReturn:
    """Call *step* every *period_s* seconds until cancelled."""
    while True:
        await asyncio.sleep(period_s)
        step()


async def _log_failure(name: str, work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:  # the rim of a task: nobody above it could log it
        log.exception("background task failed: %s (this is a bug of dvidpc)", name)


async def _restart_on_failure(name: str, work: Callable[[], Awaitable[None]], restart_after_s: float) -> None:
    while True:
        try:
            await work()
        except Exception:  # the rim of a task: nobody above it could log or restart it
            log.exception(
                "background task failed: %s; it restarts in %g s (this is a bug of dvidpc)",
                name,
                restart_after_s,
            )
            await asyncio.sleep(restart_after_s)
        else:
            return
