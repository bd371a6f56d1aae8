"""What every kind of store checks of an answer, and how it names the object."""

import asyncio

from dvidpc.errors import FormatError, ObjectChangedError
from dvidpc.storage.content_encoding import decode_content


def name_object(store_url: str, key: str) -> str:
    """The object as messages name it: one line, whatever the key holds."""
    printable = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in key)
    return f"{store_url.rstrip('/')}/{printable}"


def check_size(name: str, size: int, max_size: int) -> None:
    """Refuse an object before it is read.

    Raises:
        FormatError: It holds more than *max_size* bytes.
    """
    if size > max_size:
        raise FormatError(f"{name} holds {size} bytes, more than the {max_size} allowed here")


def if_match(etag: str | None) -> str | None:
    """What to send as `If-Match`; None: nothing.

    Weak etags never match there. (RFC 9110 section 13.1.1)
    """
    return None if etag is None or etag.startswith("W/") else etag


def check_etag(name: str, *, known: str | None, found: str | None) -> None:
    """Compare etags ourselves too: some services ignore `If-Match`.

    Raises:
        ObjectChangedError: Both are there and differ. Weak ones count as equal to strong ones.
    """
    if known is not None and found is not None and known.removeprefix("W/") != found.removeprefix("W/"):
        raise ObjectChangedError(f"{name} was replaced: its etag is {found}, not {known}")


async def undo_encoding(name: str, data: bytes, content_encoding: str | None, *, max_size: int) -> bytes:
    """`decode_content` off the event loop, with the object's name in its error."""
    if not content_encoding:
        return data
    try:
        return await asyncio.to_thread(decode_content, data, content_encoding, max_size=max_size)
    except FormatError as error:
        raise FormatError(f"{name}: {error}") from error
