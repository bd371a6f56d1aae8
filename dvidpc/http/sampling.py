"""Feels the pulse of the server once a second: what it reads from buckets, and how late its event loop is."""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from dvidpc.counters import Histogram

PERIOD_S: Final = 1.0
LAGS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_STEPS: Final = 4
"""How often in a period the loop is tried."""


class Reads(NamedTuple):
    """What was read from buckets: since the start, or in a second."""

    requests: int
    nbytes: int


class Pulse:
    """Measures for as long as `run` runs.

    Args:
        reads: What was read from all buckets since the start.
    """

    def __init__(self, reads: Callable[[], Reads]) -> None:
        self._reads = reads
        self.rate = Reads(0, 0)
        """What was read in the last whole second."""
        self.lag: Final = Histogram(LAGS_S)
        """By how many seconds the event loop was late, four times a second."""

    async def run(self) -> None:
        """Measure until cancelled."""
        before = self._reads()
        while True:
            for _ in range(_STEPS):
                await self._try_loop(PERIOD_S / _STEPS)
            now = self._reads()
            self.rate = Reads(now.requests - before.requests, now.nbytes - before.nbytes)
            before = now

    async def _try_loop(self, pause_s: float) -> None:
        clock = asyncio.get_running_loop().time
        due = clock() + pause_s
        await asyncio.sleep(pause_s)
        self.lag.observe(max(0.0, clock() - due))
