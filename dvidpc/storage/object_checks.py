"""Checks that all kinds of stores apply to what they read, and how messages name an object."""

import asyncio

from dvidpc.errors import FormatError, ObjectChangedError, OversizeError
from dvidpc.storage.content_encoding import decode_content
from dvidpc.storage.versions import Comparison, Version, compare


def name_object(store_url: str, key: str) -> str:
    """Return the object's name for messages: always one line, whatever the key holds."""
    return f"{store_url}{'' if store_url.endswith('/') else '/'}{_printable(key)}"


def check_size(name: str, size: int, max_size: int) -> None:
    """Refuse an object before it is read.

    Raises:
        OversizeError: It holds more than *max_size* bytes.
    """
    if size > max_size:
        raise OversizeError(f"{name} holds {size} bytes, more than the {max_size} allowed here")


def too_short(name: str, length: int, size: int) -> FormatError:
    """Return the error for an object of *length* bytes of which the last *size* were requested."""
    return FormatError(f"{name} ends at byte {length}; at least {size} bytes were expected")


def if_match(etag: str | None) -> str | None:
    """Return the value of `If-Match` for a read of *etag*; None to send no such header.

    A weak etag never matches there (RFC 9110 section 13.1.1), and one that is not ASCII cannot be sent.
    """
    can_be_sent = etag and etag.isascii() and etag.isprintable() and not etag.startswith("W/")
    return etag if can_be_sent else None


def check_version(name: str, *, known: Version, found: Version) -> Comparison:
    """Compare what was read with what was expected: some services ignore `If-Match`.

    Raises:
        ObjectChangedError: The object was replaced.
    """
    result = compare(known, found)
    if result is Comparison.REPLACED:
        raise ObjectChangedError(f"{name} was replaced: {_describe_difference(known, found)}")
    return result


def _describe_difference(known: Version, found: Version) -> str:
    if known.size is not None and found.size is not None and known.size != found.size:
        return f"it has {found.size} bytes, not {known.size}"
    if known.etag is not None and found.etag is not None:
        return f"its etag is {_printable(found.etag)}, not {_printable(known.etag)}"
    if known.number is not None and found.number is not None:
        return f"its version is {_printable(found.number)}, not {_printable(known.number)}"
    return f"it was written at {_printable(found.modified or '')}, not at {_printable(known.modified or '')}"


def _printable(text: str) -> str:
    if text.isprintable():  # nearly always, and every read has a name
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


async def undo_encoding(name: str, data: bytes, content_encoding: str | None, *, max_size: int) -> bytes:
    """Run `decode_content` off the event loop, and name the object in its errors."""
    if not content_encoding:
        return data
    try:
        return await asyncio.to_thread(decode_content, data, content_encoding, max_size=max_size)
    except FormatError as error:
        raise type(error)(f"{name}: {error}") from error
