"""Limit how often one warning is logged, so that the log stays readable while a bucket is down."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MOST: Final = 20
"""Messages of one kind that are logged per period."""
PERIOD_S: Final = 10.0
"""Length of a period, in seconds."""


@dataclass(slots=True)
class _Kind:
    """The count of messages with one text, whatever their arguments."""

    since: float
    """When the current period began, by the filter's clock."""
    passed: int = 0
    """Messages logged in the current period."""
    held_back: int = 0
    """Messages dropped since the last one that was logged."""


class StormFilter(logging.Filter):
    """Drops warnings and errors that repeat too often; the next one logged says how many were dropped.

    Messages below WARNING always pass, so every request keeps its line in the log.

    Args:
        clock: A monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether *record* is logged."""
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
