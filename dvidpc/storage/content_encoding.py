"""Removes the Content-Encoding of an object, within a bound on memory."""

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import brotli

from dvidpc.errors import FormatError, OversizeError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_GZIP_WBITS = 31
_MOST_ENCODINGS = 4
"""A longer list is an attack, not a way to store objects."""
_STEP = 64 * 1024
"""Bytes passed to a decompressor at a time; small, because it copies what it leaves unread."""


class _Decompressor(Protocol):
    """The common part of zlib's and zstd's decompressors."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def decode_content(data: bytes, content_encoding: str | None, *, max_size: int) -> bytes:
    """Return *data* without its Content-Encoding; *data* itself if it has none.

    (RFC 9110 section 8.4: encodings are listed in the order in which they were applied.)

    Raises:
        FormatError: The encoding is not supported; the data is damaged, cut short or followed by other bytes.
        OversizeError: The result exceeds *max_size* bytes. At most a few kB beyond that are ever decoded.
    """
    names = encodings_in(content_encoding)
    if len(names) > _MOST_ENCODINGS:
        raise FormatError(f"Content-Encoding lists {len(names)} encodings")
    for name in reversed(names):
        data = _join(_pieces(name, data), name, max_size)
    return data


def encodings_in(content_encoding: str | None) -> list[str]:
    """Return the names in a Content-Encoding, in lower case.

    `identity` is left out, and so is `aws-chunked`, which some services keep from the upload.
    """
    names = [name.strip().lower() for name in (content_encoding or "").split(",")]
    return [name for name in names if name not in {"", "identity", "aws-chunked"}]


def gzip_of(stored: bytes, content_encoding: str | None, data: bytes) -> bytes | None:
    """Return *stored* if it is *data* in one gzip stream; None if it is encoded in another way.

    The last stream ends with the size of its own data, so a file of several streams is none.  (RFC 1952)
    """
    is_gzip = (content_encoding or "").strip().lower() in {"gzip", "x-gzip"}
    return stored if is_gzip and int.from_bytes(stored[-4:], "little") == len(data) else None


def _pieces(name: str, data: bytes) -> Callable[[int], Iterator[bytes]]:
    """Return a function that decodes piece by piece; its argument is the largest size of a piece."""
    match name:
        case "gzip" | "x-gzip":
            return lambda limit: _stream_pieces(lambda: zlib.decompressobj(_GZIP_WBITS), data, limit)
        case "zstd":
            return lambda limit: _stream_pieces(zstd.ZstdDecompressor, data, limit)
        case "br":
            return lambda limit: _brotli_pieces(data, limit)
    raise FormatError(f"Content-Encoding {name!r} is not supported")


def _join(pieces: Callable[[int], Iterator[bytes]], name: str, max_size: int) -> bytes:
    whole = bytearray()
    try:
        for piece in pieces(max_size + 1):
            whole += piece
            if len(whole) > max_size:
                raise OversizeError(f"its {name} encoding holds more than {max_size} bytes")
    except (zlib.error, zstd.ZstdError, brotli.error) as error:
        raise FormatError(f"its {name} encoding is damaged: {error}") from error
    return bytes(whole)


def _stream_pieces(make: Callable[[], _Decompressor], data: bytes, limit: int) -> Iterator[bytes]:
    """Decode one stream or several in a row: gzip members, zstd frames."""
    position = 0
    while position < len(data) or not data:
        stream = make()
        while not stream.eof:
            step = data[position : position + _STEP]
            if not step:
                raise FormatError("its encoding is cut short")
            yield stream.decompress(step, limit)
            position += len(step)
        position -= len(stream.unused_data)


def _brotli_pieces(data: bytes, limit: int) -> Iterator[bytes]:
    stream = brotli.Decompressor()
    while not stream.is_finished():
        yield stream.process(data, output_buffer_limit=limit)
        if stream.can_accept_more_data() and not stream.is_finished():
            raise FormatError("its encoding is cut short")
        data = b""
