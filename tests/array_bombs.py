"""Encoders of the compressions that zarr and N5 have, and bombs made with them."""

import bz2
import gzip
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator

from dvidpc.formats.arrays.compressors import Compression
from tests.zarr_python import numcodecs

MIB = 2**20

Encode = Callable[[bytes], bytes]


def blosc(name: str, shuffle: int) -> Encode:
    """Return the encoder of one compressor of blosc and one shuffle."""
    return lambda data: bytes(numcodecs.Blosc(name, 5, shuffle).encode(data))


def crc32c(data: bytes) -> bytes:
    """Return *data* with its CRC32C at the end."""
    return bytes(numcodecs.get_codec({"id": "crc32c", "location": "end"}).encode(data))


def lz4_java(data: bytes, block: int = 8192, *, stored: bool = False) -> bytes:
    """Write lz4-java's `LZ4BlockOutputStream`: blocks with a header, and an empty one at the end."""
    stream = b""
    for start in range(0, len(data), block):
        part = data[start : start + block]
        packed = part if stored else bytes(numcodecs.LZ4().encode(part))[4:]
        stream += lz4_head(0x10 if stored else 0x20, len(packed), len(part)) + packed
    return stream + lz4_head(0x10, 0, 0)


def lz4_head(method: int, packed: int, size: int) -> bytes:
    """Return the header of a block of lz4-java."""
    return struct.pack("<8sBiiI", b"LZ4Block", method | 0x06, packed, size, 0)


def bombs() -> Iterator[tuple[str, Compression, bytes]]:
    """Yield chunks that claim, or hold, far more than the 64 KiB they should."""
    zeros = bytes(16 * MIB)
    yield "gzip members", Compression.GZIP, gzip.compress(zeros) * 64
    yield "gzip", Compression.GZIP, gzip.compress(bytes(256 * MIB), 1)
    yield "zlib", Compression.ZLIB, zlib.compress(bytes(256 * MIB), 1)
    yield "zstd", Compression.ZSTD, bytes(numcodecs.Zstd(1).encode(bytes(256 * MIB)))
    yield "zstd frames", Compression.ZSTD, bytes(numcodecs.Zstd(1).encode(zeros)) * 64
    yield "bz2", Compression.BZ2, bz2.compress(zeros) * 64
    yield "xz", Compression.XZ, lzma.compress(zeros) * 64
    yield "blosc", Compression.BLOSC, blosc("lz4", 0)(bytes(256 * MIB))
    yield "lz4", Compression.LZ4, bytes(numcodecs.LZ4().encode(bytes(256 * MIB)))
    yield "lz4 bare", Compression.N5_LZ4, bytes(numcodecs.LZ4().encode(bytes(256 * MIB)))[4:]
    yield "lz4 java", Compression.N5_LZ4, lz4_java(bytes(256 * MIB), 128 * MIB)
