"""Which bytes of an answer are those that were asked for."""

import re

from dvidpc.errors import FormatError, StoreError
from dvidpc.types import ByteRange

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)")


def bytes_before(name: str, byte_range: ByteRange, status: int, content_range: str, encoding: str) -> int:
    """How many bytes of a body come before the range asked for: none of a 206, some of a short 200.

    Raises:
        FormatError: The object ends before the range does.
        StoreError: The body is something else than was asked for, or too long to search for it.
    """
    if status == 200:
        if encoding not in {"", "identity"}:
            raise StoreError(
                f"{name} cannot be read: the server encodes ({encoding!r}) what it was asked not to"
            )
        if byte_range.stop > 2 * byte_range.size:
            raise StoreError(f"{name} cannot be read: the server sends all of it instead of a range")
        return byte_range.start
    match = _CONTENT_RANGE.fullmatch(content_range)
    if match is None or int(match[1]) != byte_range.start or int(match[2]) >= byte_range.stop:
        raise StoreError(f"{name} cannot be read: the server sends the range {content_range[:80]!r} instead")
    stop = int(match[2]) + 1
    if stop < byte_range.stop:
        if match[3] != str(stop):
            raise StoreError(
                f"{name} cannot be read: the server sends the range {content_range[:80]!r} instead"
            )
        raise FormatError(
            f"{name} ends at byte {stop}, before its bytes {byte_range.start}-{byte_range.stop} do"
        )
    return 0
