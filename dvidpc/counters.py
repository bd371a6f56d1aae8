"""Counters cheap enough for every request: the tally of one request, and histograms."""

from bisect import bisect_left
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Final, Literal


class Tally:
    """Counts of one request, shared by all tasks that work for it through their context."""

    __slots__ = ("blocks", "disk", "ending", "hits", "omitted", "request_id", "upstream")

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        """The request's id in the log."""
        self.blocks = 0
        """Blocks requested."""
        self.hits = 0
        """Blocks, chunks and indexes found in a cache."""
        self.disk = 0
        """Reads of buckets that the disk cache answered."""
        self.omitted = 0
        """Blocks left out of the answer because they could not be read."""
        self.upstream = 0
        """Requests sent to buckets; a load that several requests share counts for the one that started it."""
        self.ending: Literal["", "cut", "left"] = ""
        """How an answer that had begun ended early: cut by the server, left by the client; "": it did not."""


TALLY: Final[ContextVar[Tally]] = ContextVar("tally", default=Tally("-"))  # noqa: B039 - nobody reads the default
"""The tally of the current request; outside of requests, one that nobody reads."""


class Histogram:
    """Counts values by range, as plain numbers.

    Args:
        bounds: The upper ends of the ranges, inclusive and ascending; the last range has no upper end.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        """The sum of all values."""

    def observe(self, value: float) -> None:
        """Count *value*."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def cumulated(self) -> list[tuple[str, int]]:
        """Return each upper end as Prometheus writes it, with the number of values not above it."""
        ends = [*(f"{bound:g}" for bound in self.bounds), "+Inf"]
        sums, so_far = [], 0
        for count in self.counts:
            so_far += count
            sums.append(so_far)
        return list(zip(ends, sums, strict=True))
