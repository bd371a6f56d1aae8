"""How hard a bucket may be pressed: pure decisions from what it answered so far, and a clock.

Nothing here waits or knows the time; `retry` does and tells it. One of each kind serves one bucket.
"""

import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dvidpc.storage.base import UpstreamLimits

RESERVE: Final = 10.0
"""Retries that a budget allows before anything was asked: the first failures of a quiet bucket."""


class RetryBudget:
    """Lets a share of the requests be second and further attempts, so that a storm does not feed itself."""

    def __init__(self, share: float) -> None:
        """Allow *share* (0 to 1) of the first attempts to be tried again, and RESERVE at once; 0: none."""
        self._share = share
        self._left = RESERVE if share else 0.0

    def deposit(self) -> None:
        """A first attempt is made."""
        self._left = min(RESERVE, self._left + self._share)

    def withdraw(self) -> bool:
        """Whether one more attempt may be made; it then counts as made."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


class AdaptiveLimit:
    """How many requests may be under way: halved on a sign of overload, raised bit by bit while all is well.

    As in TCP's congestion avoidance it takes as many good answers as there are places to gain one more.
    Failures of one second halve it once: they were all sent before anything could be learnt from them.
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
        """The most requests under way now."""
        return int(self._limit)

    def succeeded(self) -> None:
        """The bucket answered."""
        if self._limit < self._most:
            self._limit = min(self._most, self._limit + 1 / self._limit)

    def overloaded(self, now_s: float) -> None:
        """The bucket asked for less, or was too slow."""
        if now_s - self._lowered_at >= self.PAUSE_S:
            self._lowered_at = now_s
            self._limit = min(self._limit, max(self.LEAST, self._limit / 2))


class Breaker:
    """Stops asking a bucket that is down: open once four in five of at least 20 attempts in 10 s failed.

    A bucket that fails every other time is still worth asking, and so is one that answered a moment ago.

    While it is open, single attempts probe the bucket, a quarter of a second after it opened and then ever
    further apart, up to 2 s; the first that succeeds closes it. No two pauses are quite alike: a bucket
    that is up and down in turns of a second would else be asked whenever it is down.

    Args:
        draw: Draws a number between two.
    """

    WINDOW_S: Final = 10
    LEAST_ATTEMPTS: Final = 20
    SHARE: Final = 0.8
    ALIVE_S: Final = 2.0
    """How long an answer is a sign of life."""
    FIRST_PROBE_S: Final = 0.25
    PROBE_EVERY_S: Final = 2.0
    SPREAD: Final = (0.75, 1.25)
    """Between which shares of a pause the one that is made is drawn."""

    def __init__(self, *, draw: Callable[[float, float], float] = random.uniform) -> None:
        self._seconds: deque[tuple[int, list[int]]] = deque()
        self._open = False
        self._answered_at = -math.inf
        self._next_probe = 0.0
        self._pause_s = self.FIRST_PROBE_S
        self._draw = draw

    @property
    def is_open(self) -> bool:
        """Whether all but probes are refused."""
        return self._open

    def admits(self, now_s: float) -> bool:
        """Whether an attempt may be made now; while open, a yes is the one probe of its interval."""
        if not self._open:
            return True
        if now_s < self._next_probe:
            return False
        self._plan_probe(now_s)
        return True

    def succeeded(self, now_s: float) -> None:
        """An attempt was answered."""
        if self._open:
            self._open = False
            self._seconds.clear()
        self._slot(now_s)[0] += 1
        self._answered_at = now_s

    def failed(self, now_s: float) -> bool:
        """An attempt failed; whether this opened the breaker."""
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
        """Good and bad attempts of this second; what is older than the window is dropped."""
        second = int(now_s)
        while self._seconds and self._seconds[0][0] <= second - self.WINDOW_S:
            self._seconds.popleft()
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append((second, [0, 0]))
        return self._seconds[-1][1]


@dataclass(frozen=True, slots=True)
class Pause:
    """Between which seconds the wait before the next attempt is drawn."""

    least_s: float
    most_s: float


def plan_pause(failures: int, limits: UpstreamLimits, retry_after_s: float | None) -> Pause | None:
    """How long to wait after so many failed attempts; None: the bucket wants us away for too long.

    Args:
        failures: Attempts that failed, at least one.
        limits: The bounds.
        retry_after_s: What the bucket asked for; None: nothing.
    """
    if retry_after_s is not None and retry_after_s > limits.max_retry_after_s:
        return None
    longest = min(limits.backoff_max_s, limits.backoff_min_s * 4.0**failures)
    least = max(limits.backoff_min_s, retry_after_s or 0.0)
    return Pause(least, max(least, longest))
