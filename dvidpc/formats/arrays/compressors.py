"""The table of compressions of zarr and N5: each decoder allocates no more than the result may have.

The libraries are imported when the first chunk is decoded.
"""

import bz2
import lzma
import struct
import sys
import zlib
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.checksums import CHECKSUM_SIZE, strip_checksum

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Bytes: TypeAlias = bytes | bytearray | memoryview
"""Bytes that are only read."""

_ALLOWANCE: Final = 65_536
"""Bytes by which a compressed chunk may exceed the bound of its compression: headers, empty members."""
_STEP: Final = 64 * 1024
"""Bytes passed to a decompressor at a time; small, because it copies what it leaves unread."""
_LZMA_MEMORY: Final = 128 * 2**20
"""Memory limit of xz; the strongest preset needs 65 MiB."""
_GZIP: Final = 31
_ZLIB: Final = 15
_BLOSC_HEADER: Final = struct.Struct("<4B3I")
_LZ4_MAGIC: Final = b"LZ4Block"
_LZ4_HEADER: Final = struct.Struct("<8sBiiI")
_LZ4_STORED: Final = 0x10
_LZ4_PACKED: Final = 0x20


class Compression(StrEnum):
    """A step that makes bytes of bytes; the value is its name for people."""

    GZIP = "gzip"
    ZLIB = "zlib"
    ZSTD = "zstd"
    BLOSC = "blosc"
    """c-blosc 1, whichever compressor and shuffle its header names."""
    BZ2 = "bz2"
    XZ = "xz"
    LZ4 = "lz4"
    """numcodecs' form: the size as u32le, and one lz4 block."""
    N5_LZ4 = "lz4 (N5)"
    """lz4-java's stream of `LZ4Block`s, or one bare lz4 block as z5 writes it."""
    CRC32C = "crc32c"


class Size(NamedTuple):
    """How many bytes a step yields."""

    limit: int
    is_exact: bool
    """Whether it yields exactly *limit* bytes; else at most as many."""


class _Decompressor(Protocol):
    """The common part of the decompressors of zlib, bz2, lzma and zstd."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def max_compressed_size(size: int, compressions: tuple[Compression, ...]) -> int:
    """Return the most bytes that *size* bytes can take once compressed by all steps."""
    return _sizes(size, compressions)[-1].limit


def decompress(data: Bytes, compressions: tuple[Compression, ...], size: int) -> Bytes:
    """Return the bytes that *compressions* were applied to; *data* itself if there are none.

    Args:
        data: The compressed bytes.
        compressions: In the order of encoding.
        size: How many bytes the result has.

    Raises:
        FormatError: *data* is damaged, or does not hold *size* bytes. Memory is bounded by *size*.
    """
    sizes = _sizes(size, compressions)
    result = data
    for compression, expected in zip(reversed(compressions), reversed(sizes[:-1]), strict=True):
        try:
            result = _DECODERS[compression](result, expected)
        except ImportError as error:  # an imagecodecs that was built without it
            raise FormatError(f"{compression} cannot be decoded by this installation: {error}") from error
        except (
            RuntimeError,
            ValueError,
            OSError,
            EOFError,
            zlib.error,
            lzma.LZMAError,
            zstd.ZstdError,
        ) as error:
            raise FormatError(f"damaged {compression} data: {error}") from error
        _check_size(result, expected, f"{compression} data")
    _check_size(result, sizes[0], "data")
    return result


def _check_size(data: Bytes, expected: Size, what: str) -> None:
    if len(data) > expected.limit or (expected.is_exact and len(data) < expected.limit):
        raise FormatError(f"{what} holds {len(data):,} bytes; the chunk has {expected.limit:,}")


def _sizes(size: int, compressions: tuple[Compression, ...]) -> list[Size]:
    """Return the size before the first step and after each."""
    sizes = [Size(size, is_exact=True)]
    for compression in compressions:
        limit, is_exact = sizes[-1]
        if compression is Compression.CRC32C:
            sizes.append(Size(limit + CHECKSUM_SIZE, is_exact))
        else:
            sizes.append(Size(limit + limit // 2 + _ALLOWANCE, is_exact=False))
    return sizes


def _imagecodecs(name: str, data: Bytes, size: int, **options: object) -> memoryview:
    """Decode by a function of imagecodecs into exactly *size* bytes, or fewer."""
    target = np.empty(size, np.uint8)
    decode: Callable[..., Any] = getattr(import_module("imagecodecs"), name)
    decoded = decode(data, out=target, **options)
    return target.data[: len(decoded)]


def _decode_gzip(data: Bytes, size: Size) -> Bytes:
    """Decode by libdeflate, which knows one member only, else by zlib."""
    if size.is_exact and not _is_short_member(data, size.limit):
        return _imagecodecs("gzip_decode", data, size.limit)
    return _decode_streams(partial(zlib.decompressobj, _GZIP), data, size.limit)


def _is_short_member(data: Bytes, size: int) -> bool:
    """Whether the last gzip member is not all: its size, modulo 2^32, is at the end of the file."""
    return int.from_bytes(data[-4:], "little") != size % 2**32


def _decode_zlib(data: Bytes, size: Size) -> Bytes:
    if size.is_exact:
        return _imagecodecs("deflate_decode", data, size.limit)
    return _decode_streams(partial(zlib.decompressobj, _ZLIB), data, size.limit)


def _decode_zstd(data: Bytes, size: Size) -> Bytes:
    if size.is_exact:
        return _imagecodecs("zstd_decode", data, size.limit)
    return _decode_streams(zstd.ZstdDecompressor, data, size.limit)


def _decode_blosc(data: Bytes, size: Size) -> Bytes:
    """Compare the header with what is there before c-blosc believes it: it would read and write beyond.

    (c-blosc 1.21 `blosc_cbuffer_validate`)
    """
    if len(data) < _BLOSC_HEADER.size:
        raise FormatError(f"{len(data)} bytes are too few for a blosc header")
    *_, nbytes, _, cbytes = _BLOSC_HEADER.unpack_from(data)
    if not _BLOSC_HEADER.size <= cbytes <= len(data):
        raise FormatError(f"blosc header says {cbytes:,} bytes; there are {len(data):,}")
    _check_claim(nbytes, size, "blosc header")
    return _imagecodecs("blosc_decode", data[:cbytes], nbytes, numthreads=1)


def _decode_lz4(data: Bytes, size: Size) -> Bytes:
    claimed = int.from_bytes(data[:4], "little")
    _check_claim(claimed, size, "lz4 header")
    return _imagecodecs("lz4_decode", data[4:], claimed)


def _check_claim(claimed: int, size: Size, what: str) -> None:
    if claimed > size.limit or (size.is_exact and claimed != size.limit) or not claimed:
        raise FormatError(f"{what} promises {claimed:,} bytes; the chunk has {size.limit:,}")


def _decode_n5_lz4(data: Bytes, size: Size) -> Bytes:
    if bytes(data[:8]) != _LZ4_MAGIC:
        return _imagecodecs("lz4_decode", data, size.limit)
    whole = bytearray()
    view = memoryview(data)
    while view:
        if len(view) < _LZ4_HEADER.size:
            raise FormatError("lz4 stream is cut short")
        magic, token, packed, unpacked, _ = _LZ4_HEADER.unpack_from(view)
        body = view[_LZ4_HEADER.size :][:packed]
        if magic != _LZ4_MAGIC or packed < 0 or unpacked < 0 or len(body) != packed:
            raise FormatError("lz4 stream has a damaged block header, or is cut short")
        if len(whole) + unpacked > size.limit:
            raise FormatError(f"lz4 stream holds more than {size.limit:,} bytes")
        whole += _lz4_block(token & 0xF0, body, unpacked)
        view = view[_LZ4_HEADER.size + packed :]
    return whole


def _lz4_block(method: int, body: memoryview, size: int) -> Bytes:
    """Decode a block of lz4-java's `LZ4BlockOutputStream`; the last one of a stream is empty."""
    if method == _LZ4_STORED and len(body) == size:
        return body
    if method == _LZ4_PACKED and size:
        block = _imagecodecs("lz4_decode", body, size)
        if len(block) == size:
            return block
    raise FormatError(f"lz4 stream has a damaged block of {size:,} bytes")


def _decode_bz2(data: Bytes, size: Size) -> Bytes:
    return _decode_streams(bz2.BZ2Decompressor, data, size.limit)


def _decode_xz(data: Bytes, size: Size) -> Bytes:
    return _decode_streams(partial(lzma.LZMADecompressor, lzma.FORMAT_XZ, _LZMA_MEMORY), data, size.limit)


def _decode_streams(make: Callable[[], _Decompressor], data: Bytes, limit: int) -> Bytes:
    """Decode one stream or several in a row, and stop once they hold more than *limit* bytes."""
    whole = bytearray()
    position = 0
    while position < len(data):
        stream = make()
        while not stream.eof:
            step = bytes(data[position : position + _STEP])
            if not step:
                raise FormatError("the stream is cut short")
            whole += stream.decompress(step, limit + 1 - len(whole))
            if len(whole) > limit:
                raise FormatError(f"the stream holds more than {limit:,} bytes")
            position += len(step)
        position -= len(stream.unused_data)
    return whole


_DECODERS: Final[Mapping[Compression, Callable[[Bytes, Size], Bytes]]] = MappingProxyType(
    {
        Compression.GZIP: _decode_gzip,
        Compression.ZLIB: _decode_zlib,
        Compression.ZSTD: _decode_zstd,
        Compression.BLOSC: _decode_blosc,
        Compression.BZ2: _decode_bz2,
        Compression.XZ: _decode_xz,
        Compression.LZ4: _decode_lz4,
        Compression.N5_LZ4: _decode_n5_lz4,
        Compression.CRC32C: lambda data, _: strip_checksum(data),
    }
)
