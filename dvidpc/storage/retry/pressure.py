"""Decides how hard a bucket may be pressed: retry budget, concurrency limit, circuit breaker, backoff.

Nothing here waits or reads a clock: `retrying_store` does both and passes the time in. Each bucket has one
object of each class.
"""

import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dvidpc.storage.base import UpstreamLimits

RESERVE: Final = 10.0
"""The most retries that a budget saves up; it starts with so many."""
RETRIES_PER_S: Final = 2.0
"""How many retries a second a bucket with little traffic may get."""


class RetryBudget:
    """Limits retries to a share of the requests, so that they do not make an overload worse.

    A share of little traffic is nothing, so the budget also grows with time. From one first attempt to the
    next it grows by the larger of the two, not by their sum: under load only the share counts. (as the
    minimum of Finagle's `RetryBudget`)
    """

    def __init__(self, share: float, now_s: float = 0.0) -> None:
        """Allow retries of a *share* (0 to 1) of first attempts, and `RESERVE` at once; none if it is 0."""
        self._share = share
        self._per_s = RETRIES_PER_S if share else 0.0
        self._left = RESERVE if share else 0.0
        self._grown_at = now_s
        self._grown = 0.0

    def deposit(self, now_s: float) -> None:
        """Note that a first attempt is made."""
        self._grow(now_s)
        self._left = min(RESERVE, self._left + max(0.0, self._share - self._grown))
        self._grown = 0.0

    def withdraw(self, now_s: float) -> bool:
        """Return whether a retry may be made; if so, it counts as made."""
        self._grow(now_s)
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def _grow(self, now_s: float) -> None:
        """Add what the time since the last event allows."""
        gain = self._per_s * max(0.0, now_s - self._grown_at)
        self._grown_at = now_s
        self._grown += gain
        self._left = min(RESERVE, self._left + gain)


class AdaptiveLimit:
    """Limits requests in flight: halves on a sign of overload, and grows slowly while requests succeed.

    As in TCP's congestion avoidance, it takes as many successes as the limit to raise it by one. Failures
    within one second halve it once, since all of these requests were sent before the first failure was known.
    (RFC 5681)
    """

    LEAST: Final = 4
    PAUSE_S: Final = 1.0

    def __init__(self, most: int) -> None:
        self._most = float(most)
        self._limit = float(most)
        self._lowered_at = -math.inf

    @property
    def limit(self) -> int:
        """The most requests in flight now."""
        return int(self._limit)

    def succeeded(self) -> None:
        """Note that the bucket answered."""
        if self._limit < self._most:
            self._limit = min(self._most, self._limit + 1 / self._limit)

    def overloaded(self, now_s: float) -> None:
        """Note that the bucket asked for fewer requests, or was too slow."""
        if now_s - self._lowered_at >= self.PAUSE_S:
            self._lowered_at = now_s
            self._limit = min(self._limit, max(self.LEAST, self._limit / 2))


class Breaker:
    """Stops requests to a bucket that is down.

    It opens once four in five of at least 20 attempts within 10 s failed. It stays closed for a bucket that
    fails every other time, and for one that answered within the last 2 s.

    While it is open, it admits single attempts as probes: the first a quarter of a second after it opened,
    the next ones at growing intervals of up to 2 s. The first success closes it. The intervals are
    randomised: otherwise all probes of a bucket that is up every other second might meet it down.

    Args:
        draw: Draws a number between two numbers.
    """

    WINDOW_S: Final = 10
    LEAST_ATTEMPTS: Final = 20
    SHARE: Final = 0.8
    ALIVE_S: Final = 2.0
    """It does not open for so long after an answer."""
    FIRST_PROBE_S: Final = 0.25
    PROBE_EVERY_S: Final = 2.0
    SPREAD: Final = (0.75, 1.25)
    """An interval is multiplied by a number drawn between these."""

    def __init__(self, *, draw: Callable[[float, float], float] = random.uniform) -> None:
        self._seconds: deque[tuple[int, list[int]]] = deque()
        self._open = False
        self._answered_at = -math.inf
        self._next_probe = 0.0
        self._pause_s = self.FIRST_PROBE_S
        self._draw = draw

    @property
    def is_open(self) -> bool:
        """Whether it refuses all attempts but probes."""
        return self._open

    def admits(self, now_s: float) -> bool:
        """Return whether an attempt may be made now. While it is open, one attempt per interval may."""
        if not self._open:
            return True
        if now_s < self._next_probe:
            return False
        self._plan_probe(now_s)
        return True

    def succeeded(self, now_s: float) -> None:
        """Note that an attempt was answered."""
        if self._open:
            self._open = False
            self._seconds.clear()
        self._slot(now_s)[0] += 1
        self._answered_at = now_s

    def failed(self, now_s: float) -> bool:
        """Note that an attempt failed; return whether this opened the breaker."""
        self._slot(now_s)[1] += 1
        good = sum(slot[0] for _, slot in self._seconds)
        bad = sum(slot[1] for _, slot in self._seconds)
        if self._open or good + bad < self.LEAST_ATTEMPTS or bad < self.SHARE * (good + bad):
            return False
        if now_s - self._answered_at < self.ALIVE_S:
            return False
        self._open = True
        self._pause_s = self.FIRST_PROBE_S
        self._plan_probe(now_s)
        return True

    def _plan_probe(self, now_s: float) -> None:
        self._next_probe = now_s + self._pause_s * self._draw(*self.SPREAD)
        self._pause_s = min(self.PROBE_EVERY_S, 2 * self._pause_s)

    def _slot(self, now_s: float) -> list[int]:
        """Return the counts of good and bad attempts in this second; drop those older than the window."""
        second = int(now_s)
        while self._seconds and self._seconds[0][0] <= second - self.WINDOW_S:
            self._seconds.popleft()
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append((second, [0, 0]))
        return self._seconds[-1][1]


@dataclass(frozen=True, slots=True)
class Pause:
    """The bounds between which the pause before a retry is drawn, in seconds."""

    least_s: float
    most_s: float


def plan_pause(failures: int, limits: UpstreamLimits, retry_after_s: float | None) -> Pause | None:
    """Return the pause before the next retry; None if the bucket asks for a longer one than is allowed.

    Args:
        failures: The number of failed attempts, at least one.
        limits: The configured bounds.
        retry_after_s: The bucket's `Retry-After`; None if it sent none.
    """
    if retry_after_s is not None and retry_after_s > limits.max_retry_after_s:
        return None
    longest = min(limits.backoff_max_s, limits.backoff_min_s * 4.0**failures)
    least = max(limits.backoff_min_s, retry_after_s or 0.0)
    return Pause(least, max(least, longest))
