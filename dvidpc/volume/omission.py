"""Leave blocks that cannot be read out of an answer, for clients that an error would end."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from dvidpc.counters import TALLY
from dvidpc.errors import FormatError, StoreError, StoreRefusedError
from dvidpc.types import BlockCoord

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE_S: Final = 0.5
"""Pause before the first retry of a block; each further pause is twice as long."""
LONGEST_PAUSE_S: Final = 5.0
PRESSED_S: Final = 10.0
"""How long failed blocks are retried while other requests wait for a place."""
GRACE_S: Final = 1.0
"""How long a block is waited for once patience has ended, until the first one is late. So a client that reads
slowly from a healthy bucket gets everything."""


class Omission:
    """The patience with the blocks of one answer: how long they are retried before they are left out.

    Args:
        client: Who asked, as the log names it.
        instance: The data name, as the log names it.
        until: When patience ends, by *clock*.
        is_pressed: Returns whether other requests wait for the place of this one.
        clock: Monotonic time in seconds.
        sleep: Waits for so many seconds.
        uniform: Draws a number between two numbers, to spread the retries.
    """

    def __init__(
        self,
        client: str,
        instance: str,
        until: float,
        *,
        is_pressed: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.until = until
        self._client = client
        self._instance = instance
        self._since = clock()
        self._is_pressed = is_pressed
        self._clock = clock
        self._sleep = sleep
        self._uniform = uniform
        self._gave_up = False

    async def value_or_none(
        self,
        block: BlockCoord,
        attempt: Callable[[], Awaitable[T]],
        before_retry: Callable[[], None] = lambda: None,
    ) -> T | None:
        """Return what *attempt* returns, retrying it while patience lasts; None if *block* is left out.

        Args:
            block: The block that *attempt* waits for; logged and counted if it is left out.
            attempt: Waits for the block.
            before_retry: Called before each further attempt.
        """
        failures = 0
        while True:
            try:
                async with asyncio.timeout(self._wait_s()):
                    return await attempt()
            except TimeoutError:
                self._gave_up = True
                self.leave_out(block, "it did not arrive within patient_wait_timeout")
                return None
            except (FormatError, StoreError, MemoryError) as error:
                pause = self._pause_before_retry(error, failures)
                if pause is None:
                    self.leave_out(block, str(error) or "out of memory")
                    return None
            failures += 1
            await self._sleep(pause)
            before_retry()

    def leave_out(self, block: BlockCoord, reason: str) -> None:
        """Log and count a block that is left out."""
        TALLY.get().omitted += 1
        log.error(
            "block left out of an answer: %s %d,%d,%d for %s: %s",
            self._instance,
            *block,
            self._client,
            reason,
        )

    def leave_all_out(self, blocks: int, reason: str) -> None:
        """Log and count an answer that holds none of its *blocks*."""
        TALLY.get().omitted += blocks
        log.error(
            "all blocks left out of an answer: %d of %s for %s: %s",
            blocks,
            self._instance,
            self._client,
            reason,
        )

    def _wait_s(self) -> float:
        """Return how long to wait for a block."""
        left = self.until - self._clock()
        if left > 0:
            return left
        return 0.0 if self._gave_up else GRACE_S

    def _pause_before_retry(self, error: Exception, failures: int) -> float | None:
        """Return the pause before a block is retried; None if that does not help or takes too long."""
        if not may_pass(error):
            return None
        end = min(self.until, self._since + PRESSED_S) if self._is_pressed() else self.until
        pause = self._uniform(0.75, 1.25) * min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0**failures)
        return pause if self._clock() + pause < end else None


def may_pass(error: BaseException | None) -> bool:
    """Return whether a retry may help: neither with a damaged chunk nor with missing rights."""
    return isinstance(error, StoreError | MemoryError) and not isinstance(error, StoreRefusedError)
