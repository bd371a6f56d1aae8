"""Which content of an object was read, and whether two reads saw the same one.

An etag should answer that alone. Some appliances and CDNs give one object several etags: one per node, or a
new one for each answer. There size and time of the last write decide.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

SETTLED_AFTER_S: Final = 60.0
"""Seconds after the last write from which on any later write has another time.

Times are whole seconds, and the clocks of a service's nodes differ. (RFC 9110 section 8.8.2.2, whose
predecessor names 60 s)
"""


@dataclass(frozen=True, slots=True)
class Version:
    """What a store says about the content of an object."""

    etag: str | None = None
    """The store's name for the content, with its quotes; None if the store gives none."""
    size: int | None = None
    """Bytes of the whole object as stored; None if the store does not say."""
    modified: str | None = None
    """When it was last written, in the store's own words; None if the store does not say."""
    is_settled: bool = False
    """Whether a write after this read would have changed `modified`."""
    number: str | None = None
    """What the service counts versions by, such as S3's version id; None if it does not."""


class Comparison(Enum):
    """What two versions of one object say."""

    SAME = "same"
    SAME_BUT_ETAG = "same but etag"
    """The etags differ, and everything else shows that the content is the same."""
    REPLACED = "replaced"


def compare(known: Version, found: Version) -> Comparison:
    """Compare what two reads of one object said.

    What one of them does not say proves nothing. A weak etag equals the strong one of the same value.
    """
    if _differ(known.size, found.size):
        return Comparison.REPLACED
    if known.etag is not None and found.etag is not None:
        if _is_same_etag(known.etag, found.etag):
            return Comparison.SAME
        return Comparison.SAME_BUT_ETAG if _is_same_write(known, found) else Comparison.REPLACED
    if known.number is not None and found.number is not None:
        return Comparison.SAME if known.number == found.number else Comparison.REPLACED
    return Comparison.REPLACED if _differ(known.modified, found.modified) else Comparison.SAME


def is_proven_same(known: Version, found: Version) -> bool:
    """Return whether two reads certainly saw the same content; `compare` must not call it replaced."""
    if known.etag is not None and found.etag is not None and _is_same_etag(known.etag, found.etag):
        return True
    return _is_same_write(known, found)


def _is_same_etag(known: str, found: str) -> bool:
    return known.removeprefix("W/") == found.removeprefix("W/")


def _differ(known: object, found: object) -> bool:
    return known is not None and found is not None and known != found


def _is_same_write(known: Version, found: Version) -> bool:
    """Return whether both are known to come from one write, whatever their etags are."""
    if known.number is not None and found.number is not None:
        return known.number == found.number
    if known.size is None or found.size is None or known.modified is None:
        return False
    return known.is_settled and known.modified == found.modified
