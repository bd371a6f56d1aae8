"""How often a measured value fell into which range: plain numbers, cheap enough for every request."""

from bisect import bisect_left
from collections.abc import Sequence


class Histogram:
    """Counts values by range.

    Args:
        bounds: The upper ends of the ranges, inclusive, rising; a last range without an end follows them.
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
        """For each upper end, as Prometheus writes it, how many values are not above it."""
        ends = [*(f"{bound:g}" for bound in self.bounds), "+Inf"]
        sums, so_far = [], 0
        for count in self.counts:
            so_far += count
            sums.append(so_far)
        return list(zip(ends, sums, strict=True))
