"""Background work survives exceptions, and every exception is logged."""

import asyncio
import inspect

import pytest

from dvidpc.tasks import abandon, gather_or_cancel, in_order, keep_running, run_in_background


async def test_background_work_that_fails_is_logged_and_started_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runs = 0
    recovered = asyncio.Event()

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise LookupError("unforeseen")
        recovered.set()

    task = keep_running("counting", work, restart_after_s=0)
    async with asyncio.timeout(5):
        await recovered.wait()
        await task
    failures = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.getMessage().partition(";")[0] for record in failures] == [
        "background task failed: counting"
    ] * 2
    assert all(record.exc_info for record in failures)


async def test_background_work_ends_when_it_is_abandoned() -> None:
    started = asyncio.Event()

    async def work() -> None:
        started.set()
        await asyncio.Event().wait()

    task = keep_running("waiting", work)
    await started.wait()
    await abandon([task])
    assert task.cancelled()


async def test_one_off_work_that_fails_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        raise LookupError("unforeseen")

    await run_in_background("closing", work())
    [record] = caplog.records
    assert record.getMessage().startswith("background task failed: closing")


async def test_one_off_work_may_be_cancelled_before_it_begins() -> None:
    async def work() -> None:
        raise AssertionError("never begins")

    coroutine = work()
    await abandon([run_in_background("closing", coroutine)])
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED


async def test_the_rest_is_cancelled_when_one_fails() -> None:
    cancelled = asyncio.Event()

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def fail() -> None:
        await asyncio.sleep(0)
        raise LookupError("first")

    with pytest.raises(LookupError, match="first"):
        await gather_or_cancel([wait(), fail()])
    assert cancelled.is_set()


async def test_results_come_in_the_order_of_the_work_and_few_run_at_a_time() -> None:
    running = most = 0

    async def work(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(1 + 7 * number % 5):
            await asyncio.sleep(0)
        running -= 1
        return number

    assert [n async for n in in_order((work(n) for n in range(40)), 6)] == [*range(40)]
    assert most == 6


async def test_work_that_fails_ends_the_rest() -> None:
    begun: list[int] = []
    cancelled: list[int] = []
    got: dict[int, bool] = {}

    async def work(number: int) -> int:
        begun.append(number)
        if number == 2:
            raise ValueError(number)
        try:
            await asyncio.sleep(60 if number > 2 else 0)
        except asyncio.CancelledError:
            cancelled.append(number)
            raise
        return number

    async def run() -> None:
        async for number in in_order((work(n) for n in range(99)), 4):
            got[number] = True

    with pytest.raises(ValueError, match="2"):
        await run()
    assert list(got) == [0, 1]
    assert cancelled == begun[3:]
    assert len(begun) < 7
