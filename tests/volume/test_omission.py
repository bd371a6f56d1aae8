"""A failed block is retried while patience lasts, then left out, counted and logged."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from dvidpc.counters import TALLY, Tally
from dvidpc.errors import FormatError, ObjectChangedError, StoreError, StoreRefusedError, StoreTimeoutError
from dvidpc.types import BlockCoord
from dvidpc.volume.omission import LONGEST_PAUSE_S, PRESSED_S, Omission

BLOCK = BlockCoord(1, 2, 3)
PATIENCE_S = 100.0


class Time:
    """Time that passes only in pauses."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def tally() -> Tally:
    made = Tally("one")
    TALLY.set(made)
    return made


def omission(time: Time, *, is_pressed: Callable[[], bool] = lambda: False) -> Omission:
    return Omission(
        "lowtis at ::1",
        "em",
        time.now + PATIENCE_S,
        is_pressed=is_pressed,
        clock=time,
        sleep=time.sleep,
        uniform=lambda low, high: (low + high) / 2,
    )


def failing(*errors: Exception) -> Callable[[], Awaitable[bytes]]:
    """Raises *errors*, one per call, then returns."""
    left = list(errors)

    async def attempt() -> bytes:
        if left:
            raise left.pop(0)
        return b"block"

    return attempt


@pytest.mark.parametrize(
    "error",
    [StoreError("503"), StoreTimeoutError("late"), ObjectChangedError("replaced"), MemoryError()],
)
async def test_a_failure_that_passes_costs_no_block(error: Exception, time: Time, tally: Tally) -> None:
    begun = []
    attempt = failing(*[error] * 8)
    assert await omission(time).value_or_none(BLOCK, attempt, lambda: begun.append(1)) == b"block"
    assert time.pauses == [0.5, 1, 2, 4, 5, 5, 5, 5]
    assert (len(begun), tally.omitted) == (8, 0)


@pytest.mark.parametrize("error", [FormatError("damaged"), StoreRefusedError("no rights")])
async def test_a_failure_that_lasts_is_not_retried(error: Exception, time: Time, tally: Tally) -> None:
    assert await omission(time).value_or_none(BLOCK, failing(error)) is None
    assert (time.pauses, tally.omitted) == ([], 1)


async def test_a_block_is_left_out_when_patience_ends_and_the_log_names_client_and_block(
    time: Time, tally: Tally, caplog: pytest.LogCaptureFixture
) -> None:
    assert await omission(time).value_or_none(BLOCK, failing(*[StoreError("down")] * 1000)) is None
    assert PATIENCE_S - LONGEST_PAUSE_S <= time.now - 1000 < PATIENCE_S
    assert tally.omitted == 1
    [record] = caplog.records
    assert record.getMessage() == "block left out of an answer: em 1,2,3 for lowtis at ::1: down"


async def test_the_first_seconds_are_for_retries_even_if_others_wait(time: Time, tally: Tally) -> None:
    pressed = omission(time, is_pressed=lambda: True)
    assert await pressed.value_or_none(BLOCK, failing(*[StoreError("down")] * 1000)) is None
    assert PRESSED_S - LONGEST_PAUSE_S <= time.now - 1000 < PRESSED_S
    assert tally.omitted == 1


async def test_a_block_that_never_arrives_is_left_out(tally: Tally) -> None:
    now = asyncio.get_running_loop().time()
    hanging = Omission("lowtis", "em", now + 0.05)
    assert await hanging.value_or_none(BLOCK, asyncio.Event().wait) is None
    assert tally.omitted == 1


async def test_after_patience_has_ended_prompt_blocks_are_still_delivered(time: Time, tally: Tally) -> None:
    over = omission(time)
    time.now += PATIENCE_S
    assert await over.value_or_none(BLOCK, failing()) == b"block"
    assert await over.value_or_none(BLOCK, failing(StoreError("down"))) is None
    assert await over.value_or_none(BLOCK, asyncio.Event().wait) is None  # waits for GRACE_S
    async with asyncio.timeout(0.5):  # and from now on for nothing
        assert await over.value_or_none(BLOCK, asyncio.Event().wait) is None
        assert await over.value_or_none(BLOCK, failing()) == b"block"
    assert (time.pauses, tally.omitted) == ([], 3)


async def test_an_answer_without_any_block_is_one_line_of_the_log(
    time: Time, tally: Tally, caplog: pytest.LogCaptureFixture
) -> None:
    omission(time).leave_all_out(72, "too late")
    assert tally.omitted == 72
    [record] = caplog.records
    assert record.getMessage() == "all blocks left out of an answer: 72 of em for lowtis at ::1: too late"
