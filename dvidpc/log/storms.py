"""Keeps the log readable while a bucket is down: of messages that say the same, only some are let through."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MOST: Final = 20
"""Messages of one kind that are let through..."""
PERIOD_S: Final = 10.0
"""...in so many seconds."""


@dataclass(slots=True)
class _Kind:
    """Messages made of one text, whatever stands in its places."""

    since: float
    passed: int = 0
    held_back: int = 0


class StormFilter(logging.Filter):
    """Holds warnings and errors back that come too often; the next of their kind tells how many there were.

    Requests are logged one line each all the same, so that none of them goes without a trace.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether *record* is let through."""
        if record.levelno < logging.WARNING or not isinstance(record.msg, str):
            return True
        now = self._clock()
        kind = self._kinds.setdefault((record.name, record.msg), _Kind(now))
        if now - kind.since >= PERIOD_S:
            kind.since, kind.passed = now, 0
        if kind.passed >= MOST:
            kind.held_back += 1
            return False
        kind.passed += 1
        if kind.held_back:
            record.msg = f"{record.msg} ({kind.held_back} more like this were not logged)"
            kind.held_back = 0
        return True
