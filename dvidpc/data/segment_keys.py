"""Keys that name a segment and the form of a value: `77.ngmesh`, `77_swc`."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from dvidpc.errors import RequestError
from dvidpc.sources.precomputed.property_reader import PropertyReader

MAX_LISTED: Final = 200_000
"""Segments beyond which keys are not listed."""

_KEY = re.compile(r"(0|[1-9][0-9]{0,19})(?:_([0-9]))?(\.[a-z]+|_swc)", re.ASCII)


class SegmentKey(NamedTuple):
    """A parsed key."""

    segment_id: int
    lod: int | None
    """The level of detail that the key names; None if it names none."""
    suffix: str
    """`.ngmesh`, `_swc`, ..."""


def parse_key(key: str) -> SegmentKey | None:
    """Return the parts of *key*; None if it names no segment."""
    match = _KEY.fullmatch(key)
    if match is None or int(match[1]) >= 2**64:
        return None
    return SegmentKey(int(match[1]), None if match[2] is None else int(match[2]), match[3])


class SegmentIds(Protocol):
    """Knows which segments may have a value."""

    async def ids(self) -> Sequence[int]:
        """Return them, in no particular order.

        Raises:
            RequestError: They are not known, or too many; the message says why.
        """


class IdsOfProperties:
    """The segments that have properties."""

    def __init__(self, properties: PropertyReader) -> None:
        self._properties = properties

    async def ids(self) -> Sequence[int]:
        """As `SegmentIds.ids`."""
        properties = await self._properties.load()
        check_count(len(properties))
        ids: list[int] = properties.ids.tolist()
        return ids


def check_count(count: int) -> None:
    """Refuse to list the keys of too many segments.

    Raises:
        RequestError: *count* is more than MAX_LISTED.
    """
    if count > MAX_LISTED:
        raise RequestError(f"keys cannot be listed: there are {count} segments; the limit is {MAX_LISTED}")


def list_keys(ids: Sequence[int], suffixes: Sequence[str], first: str, last: str | None) -> list[str]:
    """Return the keys of all segments from *first* to *last*, sorted as DVID sorts them: by their bytes."""
    keys = (f"{segment_id}{suffix}" for segment_id in ids for suffix in suffixes)
    return sorted(key for key in keys if first <= key and (last is None or key <= last))
