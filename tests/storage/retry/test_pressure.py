"""Retry budget, concurrency limit, circuit breaker and backoff, as pure decisions."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.storage.base import UpstreamLimits
from dvidpc.storage.retry.pressure import (
    RESERVE,
    RETRIES_PER_S,
    AdaptiveLimit,
    Breaker,
    RetryBudget,
    plan_pause,
)

LIMITS = UpstreamLimits()


def test_waits_grow_to_a_bound() -> None:
    pauses = [plan_pause(failures, LIMITS, None) for failures in range(1, 9)]
    longest = [pause.most_s for pause in pauses if pause]
    assert longest == sorted(longest)
    assert longest[-1] == LIMITS.backoff_max_s
    assert all(pause and pause.least_s == LIMITS.backoff_min_s for pause in pauses)


@given(
    st.integers(1, 99), st.none() | st.floats(0, 1e9), st.floats(0, 10), st.floats(0, 10), st.floats(0, 10)
)
def test_pauses_are_never_backwards(
    failures: int, retry_after_s: float | None, least: float, most: float, longest: float
) -> None:
    limits = UpstreamLimits(backoff_min_s=least, backoff_max_s=most, max_retry_after_s=longest)
    pause = plan_pause(failures, limits, retry_after_s)
    if pause is None:
        assert retry_after_s is not None
        assert retry_after_s > longest
    else:
        assert max(least, retry_after_s or 0) <= pause.least_s <= pause.most_s


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 5)), max_size=300), st.floats(0, 1))
def test_retries_stay_within_the_budget(asks: list[tuple[bool, float]], share: float) -> None:
    budget = RetryBudget(share)
    now = granted = 0.0
    allowed = RESERVE
    first_at = 0.0
    for wants_retry, pause in asks:
        now += pause
        if wants_retry:
            granted += budget.withdraw(now)
        else:
            budget.deposit(now)
            allowed += max(share, RETRIES_PER_S * (now - first_at))
            first_at = now
    assert granted <= allowed + RETRIES_PER_S * (now - first_at) + 1e-6


def test_a_storm_gets_its_share_and_no_more() -> None:
    for per_s in (10, 11, 20, 100, 1000):
        budget = RetryBudget(0.2)
        while budget.withdraw(0.0):
            pass
        granted = 0
        for number in range(1, 5001):
            budget.deposit(number / per_s)
            granted += sum(budget.withdraw((number + part) / per_s) for part in (0.2, 0.4))
        assert granted <= 0.2 * 5000 + 1, per_s


def test_a_quiet_bucket_may_be_retried_again_after_a_while() -> None:
    budget = RetryBudget(0.2)
    while budget.withdraw(0.0):
        pass
    assert not budget.withdraw(0.4)
    assert budget.withdraw(1.0)
    assert budget.withdraw(1.0)
    assert not budget.withdraw(1.0)
    budget.deposit(3600.0)
    assert sum(budget.withdraw(3600.0) for _ in range(20)) == RESERVE


def test_no_share_means_no_retry() -> None:
    assert not RetryBudget(0).withdraw(3600.0)


def test_limit_falls_once_a_second_and_recovers() -> None:
    limit = AdaptiveLimit(64)
    for _ in range(10):
        limit.overloaded(100.0)
    assert limit.limit == 32
    for second in range(101, 120):
        limit.overloaded(second)
    assert limit.limit == AdaptiveLimit.LEAST
    for _ in range(2100):
        limit.succeeded()
    assert limit.limit == 64


@pytest.mark.parametrize("most", [1, 2, 4, 5])
def test_small_limit_never_grows_by_falling(most: int) -> None:
    limit = AdaptiveLimit(most)
    limit.overloaded(0.0)
    assert 1 <= limit.limit <= most


def test_breaker_opens_at_four_in_five_of_twenty_within_ten_seconds() -> None:
    breaker = Breaker(draw=lambda _least, _most: 1.0)
    for _ in range(4):
        breaker.succeeded(0.0)
    assert [breaker.failed(5.0) for _ in range(16)] == [False] * 15 + [True]
    assert breaker.is_open
    assert not breaker.admits(5.2)
    assert breaker.admits(5.25)
    assert not breaker.admits(5.25)
    assert not breaker.failed(5.5)
    asked = [now / 100 for now in range(526, 1500) if breaker.admits(now / 100)]
    assert asked == [5.75, 6.75, 8.75, 10.75, 12.75, 14.75]
    breaker.succeeded(15.0)
    assert all(breaker.admits(15.0) for _ in range(100))


def test_a_bucket_that_answered_a_moment_ago_is_not_down() -> None:
    breaker = Breaker()
    breaker.succeeded(100.0)
    assert not any(breaker.failed(101.9) for _ in range(1000))
    assert breaker.failed(102.0)


def test_breaker_closes_on_a_bucket_that_is_up_and_down_in_turns() -> None:
    for seed in range(50):
        breaker = Breaker(draw=Random(seed).uniform)
        for _ in range(20):
            breaker.failed(0.5)
        now = next(now / 100 for now in range(50, 3000) if breaker.admits(now / 100) and now // 100 % 2)
        assert now < 15, "down in even seconds, up in odd ones"


def test_old_failures_are_forgotten() -> None:
    breaker = Breaker()
    for second in range(0, 190, 11):
        for _ in range(19):
            assert not breaker.failed(second)
