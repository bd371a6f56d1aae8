"""Wait for something that has no event, and a clock that only moves when a test moves it."""

import asyncio
from collections.abc import Callable

PATIENCE_S = 10


class Clock:
    """A clock that stands still until *now* is changed."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now


async def soon(claim: Callable[[], bool], pause_s: float = 0, patience_s: float = PATIENCE_S) -> None:
    """Wait until *claim* holds.

    Args:
        claim: What is waited for.
        pause_s: Pause between two looks; 0 gives way to the other tasks only.
        patience_s: How long to wait.

    Raises:
        TimeoutError: It did not hold within *patience_s*.
    """
    async with asyncio.timeout(patience_s):
        while not claim():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(pause_s)
