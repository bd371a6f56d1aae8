"""Reads are delayed so that no more bytes a second are read than allowed."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from dvidpc.warm.pace import BURST_S, Pace
from tests.waiting import Clock


async def reads(sizes: list[tuple[int, int]], rate: int, pause_s: float) -> list[tuple[float, int]]:
    """Read one after the other; return when each began, and its bytes.

    Args:
        sizes: What each read was thought to have, and has.
        rate: Bytes a second.
        pause_s: What passes after each read.
    """
    clock = Clock()

    async def sleep(seconds: float) -> None:
        clock.now += seconds

    pace = Pace(rate, clock=clock, sleep=sleep)
    begun = []
    for expected, actual in sizes:
        await pace.take(expected)
        begun.append((clock.now, actual))
        pace.settle(actual - expected)
        clock.now += pause_s
    return begun


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), min_size=1, max_size=40),
    st.integers(100, 10_000),
    st.floats(0, 1),
)
def test_no_window_holds_more_than_the_rate_allows(
    sizes: list[tuple[int, int]], rate: int, pause_s: float
) -> None:
    begun = asyncio.run(reads(sizes, rate, pause_s))
    for first in range(len(begun)):
        for last in range(first, len(begun)):
            seconds = begun[last][0] - begun[first][0]
            # the last read begins when all before it are paid for, except a burst
            assert sum(nbytes for _, nbytes in begun[first:last]) <= rate * (seconds + BURST_S) + 5000 + 1e-3


@given(st.lists(st.integers(1, 5000), min_size=2, max_size=40), st.integers(100, 10_000))
def test_the_rate_is_used(sizes: list[int], rate: int) -> None:
    begun = asyncio.run(reads([(size, size) for size in sizes], rate, 0))
    assert begun[-1][0] <= sum(sizes) / rate


async def test_nothing_waits_without_a_limit() -> None:
    async def sleep(seconds: float) -> None:
        raise AssertionError(seconds)

    pace = Pace(None, sleep=sleep)
    for _ in range(10):
        await pace.take(10**12)
        pace.settle(10**12)
