"""Reads from the head of a response which version of the object it holds."""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import lru_cache

from dvidpc.storage.http.ranges import content_range_of
from dvidpc.storage.versions import SETTLED_AFTER_S, Version

_TOTAL = re.compile(r"bytes (?:[0-9]+-[0-9]+|\*)/([0-9]{1,19})")


def read_version(status: int, headers: Mapping[str, str], *, ignore_etag: bool = False) -> Version:
    """Return the version of the object that a response is about.

    Args:
        status: 200, 206 or 416.
        headers: The response's, looked up without regard to case.
        ignore_etag: Leave the etag out.
    """
    modified = headers.get("Last-Modified") or None
    return Version(
        None if ignore_etag else headers.get("ETag") or None,
        _size_of(status, headers),
        modified,
        modified is not None and _is_settled(modified, headers.get("Date", "")),
        _number_of(headers),
    )


def _size_of(status: int, headers: Mapping[str, str]) -> int | None:
    if status == 200:
        length = headers.get("Content-Length", "")
        return int(length) if length.isdecimal() and not headers.get("Content-Encoding") else None
    total = _TOTAL.fullmatch(content_range_of(headers))
    return int(total[1]) if total else None


def _number_of(headers: Mapping[str, str]) -> str | None:
    """Return S3's version id or Google's generation; `null` is what S3 calls an object without versions."""
    number = headers.get("x-amz-version-id") or headers.get("x-goog-generation")
    return None if number == "null" else number


def _is_settled(modified: str, date: str) -> bool:
    written, sent = _seconds_of(modified), _seconds_of(date)
    return written is not None and sent is not None and sent - written >= SETTLED_AFTER_S


@lru_cache(maxsize=1024)
def _seconds_of(date: str) -> float | None:
    """Return an HTTP date in seconds since the epoch; None if it is malformed."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
