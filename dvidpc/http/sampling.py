"""Sample the server's load: reads from buckets each second, and the lag of the event loop."""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from dvidpc.counters import Histogram

PERIOD_S: Final = 1.0
LAGS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_STEPS: Final = 4
"""Measurements of the event loop's lag per period while there are requests."""


class Reads(NamedTuple):
    """Reads from buckets, since the start or during one second."""

    requests: int
    nbytes: int


class LoadSampler:
    """Measures the load while `run` runs.

    Args:
        reads: Returns the reads from all buckets since the start.
        period_s: How often `rate` is updated, in seconds.
        is_busy: Returns whether there are requests.
    """

    def __init__(
        self,
        reads: Callable[[], Reads],
        period_s: float = PERIOD_S,
        is_busy: Callable[[], bool] = lambda: True,
    ) -> None:
        self._reads = reads
        self._is_busy = is_busy
        self._period_s = period_s
        self.rate = Reads(0, 0)
        """Reads during the last period."""
        self.lag: Final = Histogram(LAGS_S)
        """How many seconds late the event loop woke up, four times per period, or once while idle."""

    async def run(self) -> None:
        """Sample until cancelled."""
        before = self._reads()
        while True:
            steps = _STEPS if self._is_busy() else 1
            for _ in range(steps):
                await self._measure_lag(self._period_s / steps)
            now = self._reads()
            self.rate = Reads(now.requests - before.requests, now.nbytes - before.nbytes)
            before = now

    async def _measure_lag(self, pause_s: float) -> None:
        clock = asyncio.get_running_loop().time
        due = clock() + pause_s
        await asyncio.sleep(pause_s)
        self.lag.observe(max(0.0, clock() - due))
