"""Limits how many bytes a second are read from a bucket."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

BURST_S: Final = 0.5
"""Seconds whose bytes may be read at once after a pause."""


class Pace:
    """Bytes that may be read, which grow with time. What is read beyond them is waited for by later reads.

    Args:
        bytes_per_s: The limit; None: there is none.
        clock: Seconds, monotonic.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        bytes_per_s: int | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._bytes_per_s = bytes_per_s
        self._clock = clock
        self._sleep = sleep
        self._free_at = clock()
        """When all bytes read so far are paid for."""

    async def take(self, nbytes: int) -> None:
        """Wait until *nbytes* more may be read; they count from now on."""
        if self._bytes_per_s is None:
            return
        now = self._clock()
        start = max(self._free_at, now - BURST_S)
        self._free_at = start + nbytes / self._bytes_per_s
        if start > now:
            await self._sleep(start - now)

    def settle(self, nbytes: int) -> None:
        """Count *nbytes* more; fewer if it is negative."""
        if self._bytes_per_s is not None:
            self._free_at += nbytes / self._bytes_per_s
