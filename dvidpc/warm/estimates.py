"""How much a prefetch will write, from a sample, and whether the disk cache can hold it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dvidpc.log.quantities import describe_count, describe_size
from dvidpc.warm.outcome import ROW_BYTES
from dvidpc.warm.targets import Target

SAMPLES: Final = 48
"""Chunks of a scale whose sizes are looked at, evenly spread."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The size of one target."""

    target: Target
    chunks: int
    sampled: Sequence[int]
    """Bytes of some of them as stored, 0 for those that are not stored; empty if none could be read."""

    @property
    def nbytes(self) -> int:
        """Bytes that they take on disk, about."""
        if not self.sampled:
            return 0
        on_disk = sum(nbytes + ROW_BYTES for nbytes in self.sampled if nbytes)
        return self.chunks * on_disk // len(self.sampled)


def describe_estimates(estimates: Sequence[Estimate]) -> str:
    """Return how much there is to read, in one line."""
    chunks = sum(one.chunks for one in estimates)
    nbytes = sum(one.nbytes for one in estimates)
    parts = ", ".join(f"{one.target.name}: {describe_size(one.nbytes)}" for one in estimates)
    return f"{describe_count(chunks, 'chunk')}, about {describe_size(nbytes)} ({parts})"


def explain_misfit(estimates: Sequence[Estimate], limit: int, largest: int) -> str | None:
    """Return why the disk cache cannot hold what is to be read, and what to do; None if it can.

    Args:
        estimates: In the order in which they are read.
        limit: Bytes of the disk cache.
        largest: The most bytes of a chunk that it keeps.
    """
    for one in estimates:
        stored = [nbytes for nbytes in one.sampled if nbytes]
        if stored and min(stored) > largest:
            return (
                f"the disk cache is too small: of {describe_size(limit)} ([cache] disk), no chunk may take "
                f"more than {describe_size(largest)}; those of {one.target.name} have "
                f"{describe_size(min(stored))} and more; take a larger [cache] disk"
            )
    if sum(one.nbytes for one in estimates) <= limit:
        return None
    return (
        f"the disk cache is too small: {describe_estimates(estimates)}, and [cache] disk is "
        f"{describe_size(limit)}; what is read first would be evicted by what is read last; take "
        f"{_propose_scales(estimates, limit)}a smaller --box or a larger [cache] disk, or --force to go on"
    )


def _propose_scales(estimates: Sequence[Estimate], limit: int) -> str:
    """Return the scales that fit, to begin a list with.

    Returns:
        Empty if none fit, or if there are several instances.
    """
    if len({one.target.instance for one in estimates}) > 1:
        return ""
    fitting, nbytes = None, 0
    for one in estimates:
        if nbytes + one.nbytes > limit:
            break
        fitting, nbytes = one.target.level, nbytes + one.nbytes
    return "" if fitting is None else f"--scales {fitting}- (about {describe_size(nbytes)}), "
