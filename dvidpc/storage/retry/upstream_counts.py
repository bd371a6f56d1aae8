"""Counts the requests to one bucket since the start."""

from collections import Counter
from dataclasses import dataclass, field

from dvidpc.counters import Histogram
from dvidpc.errors import ObjectChangedError, StoreError, StoreRefusedError, StoreTimeoutError

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
ERROR_KINDS = ("timeout", "refused", "changed", "failed")


@dataclass(slots=True)
class UpstreamCounts:
    """Counts of the requests to one bucket; retries are requests too."""

    requests: int = 0
    retries: int = 0
    """Requests that were retries."""
    nbytes: int = 0
    """Bytes of objects read, after their Content-Encoding was removed."""
    in_flight: int = 0
    errors: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(ERROR_KINDS, 0)))
    """By kind, one of `ERROR_KINDS`."""
    seconds: Histogram = field(default_factory=lambda: Histogram(SECONDS))
    """The duration of requests, failed ones included."""


def kind_of(error: StoreError) -> str:
    """Return which of `ERROR_KINDS` an error is."""
    match error:
        case StoreTimeoutError():
            return "timeout"
        case StoreRefusedError():
            return "refused"
        case ObjectChangedError():
            return "changed"
        case _:
            return "failed"
