"""Decides whether bytes on disk may be served. Times are seconds since the epoch."""

from enum import Enum
from typing import Final

from dvidpc.cache.loading_cache import FRESH_S, STALE_S
from dvidpc.storage.versions import Comparison, Version, compare, is_proven_same

CLOCK_ERROR_S: Final = 1.0
"""By how much a time may lie in the future: clocks of processes are read in no particular order."""


class Use(Enum):
    """What to do with bytes on disk when any version of the object will do."""

    SERVE = "serve"
    COMPARE = "compare"
    """Ask the bucket whether the object is still the same."""
    READ = "read"
    """Read the bucket: what is known of the version proves nothing."""


def choose_use(version: Version, current: float, *, now: float, trusted_since: float) -> Use:
    """Return what to do with bytes of *version*, which the bucket last confirmed at *current*.

    Args:
        version: What the bucket said of the object.
        current: When the bytes were last known to be the object's.
        now: The current time.
        trusted_since: Whatever was confirmed before may have been replaced: the metadata has changed.
    """
    if current >= trusted_since and is_younger(current, FRESH_S, now=now):
        return Use.SERVE
    is_empty = version.size == 0
    return Use.READ if is_empty or not proves(version, version) else Use.COMPARE


def may_stand_in(current: float, *, now: float) -> bool:
    """Return whether bytes may be served because the bucket is down."""
    return is_younger(current, FRESH_S + STALE_S, now=now)


def is_younger(current: float, age_s: float, *, now: float) -> bool:
    """Return whether less than *age_s* have passed since *current*, which must not lie in the future."""
    return -CLOCK_ERROR_S <= now - current < age_s


def proves(one: Version, other: Version) -> bool:
    """Return whether two reads, in whichever order they happened, certainly saw the same content."""
    return (
        compare(one, other) is not Comparison.REPLACED
        and is_proven_same(one, other)
        and is_proven_same(other, one)
    )
