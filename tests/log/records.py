"""Log records for the tests of the log."""

import logging
from datetime import UTC, datetime

NOON = datetime(2026, 11, 22, 12, 57, 44, tzinfo=UTC).timestamp()


def record(message: object, *args: object, level: int = logging.INFO) -> logging.LogRecord:
    """Return a record with the time NOON and some milliseconds."""
    made = logging.LogRecord("dvidpc.test", level, "", 0, message, args, None)
    made.created = NOON + 0.123456
    return made
