"""Reads the last bytes of an object from the answer to a suffix range, `Range: bytes=-N`.

Not every server understands suffix ranges: some send the whole object, others the wrong part or 416.
"""

import re
from typing import Final

import aiohttp

from dvidpc.errors import StoreError
from dvidpc.storage.http.response_bodies import encoding_of, read_body
from dvidpc.storage.object_checks import too_short

_CONTENT_RANGE: Final = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19})")
_TOTAL: Final = re.compile(r"bytes [0-9*-]{1,40}/([0-9]{1,19})")


async def read_tail(name: str, response: aiohttp.ClientResponse, size: int) -> bytes | None:
    """Return the last *size* bytes of the object.

    A whole object is accepted if it is at most twice as large as the tail.

    Returns:
        None if the server does not understand suffix ranges: the tail must be read by its position.

    Raises:
        FormatError: The object is shorter.
        StoreError: The body is encoded or cut short.
    """
    most = bytes_to_read(
        name, size, response.status, response.headers.get("Content-Range", ""), encoding_of(response) or ""
    )
    if most is None:
        return None
    data = await read_body(response, most + 1)
    if response.status == 206:
        if len(data) == size:
            return data
        raise StoreError(f"{name} is cut short: {len(data)} of {size} bytes arrived")
    if len(data) > most:
        return None
    if len(data) < size:
        raise too_short(name, len(data), size)
    return data[len(data) - size :]


def bytes_to_read(name: str, size: int, status: int, content_range: str, encoding: str) -> int | None:
    """Return how many bytes the body has, or may have if it is the whole object.

    Args:
        name: The object.
        size: How many bytes were requested.
        status: The response's status: 200, 206, 412 or 416.
        content_range: Its `Content-Range`; empty if it has none.
        encoding: Its `Content-Encoding`; empty if it has none.

    Returns:
        None if it is not an answer to a suffix range.

    Raises:
        FormatError: The object has fewer than *size* bytes.
        StoreError: The body is encoded, although it must not be.
    """
    if status in {200, 206} and encoding not in {"", "identity"}:
        raise StoreError(f"{name} cannot be read: the server encodes it ({encoding!r}) although it must not")
    if status == 200:
        return 2 * size
    total = _TOTAL.fullmatch(content_range)
    if total is not None and int(total[1]) < size:
        raise too_short(name, int(total[1]), size)
    found = _CONTENT_RANGE.fullmatch(content_range) if status == 206 else None
    if found is None:
        return None
    first, last, length = map(int, found.groups())
    return size if last == length - 1 and last - first + 1 == size else None
