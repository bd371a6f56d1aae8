"""Undoes the Content-Encoding of an object, within a bound on memory."""

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import brotli

from dvidpc.errors import FormatError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_GZIP_WBITS = 31
_MOST_ENCODINGS = 4
"""More in one list is an attack rather than a way to store things."""
_STEP = 64 * 1024
"""How much a decompressor is given at a time: what a stream leaves unread is copied, so let it be little."""


class _Decompressor(Protocol):
    """What zlib's and zstd's decompressors have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def decode_content(data: bytes, content_encoding: str | None, *, max_size: int) -> bytes:
    """*data* without its Content-Encoding; *data* itself if there is none.

    `identity` is none, and neither is `aws-chunked`, which S3 keeps from some uploads.
    (RFC 9110 section 8.4: the encodings stand in the order in which they were applied.)

    Raises:
        FormatError: The encoding is not known, the data is damaged, cut off or followed by other bytes, or
            more than *max_size* bytes would come out; never more than a few kB beyond it are made.
    """
    names = [name.strip().lower() for name in (content_encoding or "").split(",")]
    names = [name for name in names if name not in {"", "identity", "aws-chunked"}]
    if len(names) > _MOST_ENCODINGS:
        raise FormatError(f"Content-Encoding lists {len(names)} encodings")
    for name in reversed(names):
        data = _join(_pieces(name, data), name, max_size)
    return data


def _pieces(name: str, data: bytes) -> Callable[[int], Iterator[bytes]]:
    """How to get the decoded bytes piece by piece, given the most bytes a piece may have."""
    match name:
        case "gzip" | "x-gzip":
            return lambda limit: _stream_pieces(lambda: zlib.decompressobj(_GZIP_WBITS), data, limit)
        case "zstd":
            return lambda limit: _stream_pieces(zstd.ZstdDecompressor, data, limit)
        case "br":
            return lambda limit: _brotli_pieces(data, limit)
    raise FormatError(f"Content-Encoding {name!r} is not known")


def _join(pieces: Callable[[int], Iterator[bytes]], name: str, max_size: int) -> bytes:
    whole = bytearray()
    try:
        for piece in pieces(max_size + 1):
            whole += piece
            if len(whole) > max_size:
                raise FormatError(f"more than {max_size} bytes come out of its {name} encoding")
    except (zlib.error, zstd.ZstdError, brotli.error) as error:
        raise FormatError(f"its {name} encoding is damaged: {error}") from error
    return bytes(whole)


def _stream_pieces(make: Callable[[], _Decompressor], data: bytes, limit: int) -> Iterator[bytes]:
    """Of one stream or several in a row: gzip members, zstd frames."""
    position = 0
    while position < len(data) or not data:
        stream = make()
        while not stream.eof:
            step = data[position : position + _STEP]
            if not step:
                raise FormatError("its encoding is cut off")
            yield stream.decompress(step, limit)
            position += len(step)
        position -= len(stream.unused_data)


def _brotli_pieces(data: bytes, limit: int) -> Iterator[bytes]:
    stream = brotli.Decompressor()
    while not stream.is_finished():
        yield stream.process(data, output_buffer_limit=limit)
        if stream.can_accept_more_data() and not stream.is_finished():
            raise FormatError("its encoding is cut off")
        data = b""
