"""Finds the requested bytes within the body of a response."""

import re
from collections.abc import Mapping

from dvidpc.errors import FormatError, StoreError
from dvidpc.storage.content_encoding import encodings_in
from dvidpc.types import ByteRange

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)")


def bytes_before(name: str, byte_range: ByteRange, status: int, content_range: str, encoding: str) -> int:
    """Return how many bytes of the body precede the range: none of a 206, some of a short 200.

    Args:
        name: The object.
        byte_range: The bytes that were requested.
        status: The response's status, 200 or 206.
        content_range: Its `Content-Range`; empty if it has none.
        encoding: Its `Content-Encoding`; empty if it has none.

    Raises:
        FormatError: The object ends before the range does.
        StoreError: The body is not what was requested, or is too long to search for it.
    """
    if status == 200:
        if encodings_in(encoding):
            raise StoreError(
                f"{name} cannot be read: the server encodes it ({encoding!r}) although it must not"
            )
        if byte_range.stop > 2 * byte_range.size:
            raise StoreError(f"{name} cannot be read: the server sends all of it instead of a range")
        return byte_range.start
    match = _CONTENT_RANGE.fullmatch(content_range)
    if match is None or int(match[1]) != byte_range.start or int(match[2]) >= byte_range.stop:
        raise _wrong_range(name, content_range)
    stop = int(match[2]) + 1
    if stop < byte_range.stop:
        if match[3] != str(stop):
            raise _wrong_range(name, content_range)
        raise FormatError(
            f"{name} ends at byte {stop}, before its bytes {byte_range.start}-{byte_range.stop} do"
        )
    return 0


def content_range_of(headers: Mapping[str, str]) -> str:
    """Return the `Content-Range` of a response; empty if it has none. S3 has sent it under another name."""
    return headers.get("Content-Range") or headers.get("x-amz-content-range") or ""


def _wrong_range(name: str, content_range: str) -> StoreError:
    why = "" if content_range else " (206 without a Content-Range); read it from another server"
    return StoreError(
        f"{name} cannot be read: the server sends the range {content_range[:80]!r} instead{why}"
    )
