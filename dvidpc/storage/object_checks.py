"""Checks that all kinds of stores apply to what they read, and how messages name an object."""

import asyncio

from dvidpc.errors import FormatError, ObjectChangedError
from dvidpc.storage.content_encoding import decode_content


def name_object(store_url: str, key: str) -> str:
    """Return the object's name for messages: always one line, whatever the key holds."""
    printable = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in key)
    return f"{store_url}{'' if store_url.endswith('/') else '/'}{printable}"


def check_size(name: str, size: int, max_size: int) -> None:
    """Refuse an object before it is read.

    Raises:
        FormatError: It holds more than *max_size* bytes.
    """
    if size > max_size:
        raise FormatError(f"{name} holds {size} bytes, more than the {max_size} allowed here")


def if_match(etag: str | None) -> str | None:
    """Return the value of `If-Match` for a read of *etag*; None to send no such header.

    A weak etag never matches there. (RFC 9110 section 13.1.1)
    """
    return None if etag is None or etag.startswith("W/") else etag


def check_etag(name: str, *, known: str | None, found: str | None) -> None:
    """Compare etags, because some services ignore `If-Match`.

    Raises:
        ObjectChangedError: Both are known and differ. A weak etag equals the strong one of the same value.
    """
    if known is not None and found is not None and known.removeprefix("W/") != found.removeprefix("W/"):
        raise ObjectChangedError(f"{name} was replaced: its etag is {found}, not {known}")


async def undo_encoding(name: str, data: bytes, content_encoding: str | None, *, max_size: int) -> bytes:
    """Run `decode_content` off the event loop, and name the object in its errors."""
    if not content_encoding:
        return data
    try:
        return await asyncio.to_thread(decode_content, data, content_encoding, max_size=max_size)
    except FormatError as error:
        raise FormatError(f"{name}: {error}") from error
