"""Compressions, encoded by numcodecs and the standard library; damage and bombs."""

import bz2
import gzip
import lzma
import resource
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.compressors import Compression, decompress, max_compressed_size
from tests.array_bombs import MIB, Encode, blosc, bombs, crc32c, lz4_head, lz4_java
from tests.zarr_python import numcodecs

_RANDOM = np.random.default_rng(15)
PLAIN = bytes(_RANDOM.integers(0, 7, 40_000).astype(np.uint8))
NOISE = _RANDOM.bytes(40_000)
JAVA = Path(__file__).parents[2] / "recorded" / "lz4java"


ENCODERS: dict[str, tuple[Compression, Encode]] = {
    "gzip": (Compression.GZIP, gzip.compress),
    "gzip members": (Compression.GZIP, lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])),
    "gzip empty member": (Compression.GZIP, lambda data: gzip.compress(data) + gzip.compress(b"")),
    "zlib": (Compression.ZLIB, zlib.compress),
    "zstd": (Compression.ZSTD, lambda data: bytes(numcodecs.Zstd(3).encode(data))),
    "zstd checksum": (Compression.ZSTD, lambda data: bytes(numcodecs.Zstd(3, checksum=True).encode(data))),
    "zstd frames": (
        Compression.ZSTD,
        lambda data: b"".join(bytes(numcodecs.Zstd(3).encode(part)) for part in (data[:9], data[9:])),
    ),
    "bz2": (Compression.BZ2, bz2.compress),
    "bz2 streams": (Compression.BZ2, lambda data: bz2.compress(data[:9]) + bz2.compress(data[9:])),
    "xz": (Compression.XZ, lzma.compress),
    "xz strongest": (Compression.XZ, lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)),
    "lz4": (Compression.LZ4, lambda data: bytes(numcodecs.LZ4().encode(data))),
    "lz4 bare": (Compression.N5_LZ4, lambda data: bytes(numcodecs.LZ4().encode(data))[4:]),
    "lz4 java": (Compression.N5_LZ4, lz4_java),
    "lz4 java stored": (Compression.N5_LZ4, lambda data: lz4_java(data, stored=True)),
    "crc32c": (Compression.CRC32C, crc32c),
    **{
        f"blosc {name} {shuffle}": (Compression.BLOSC, blosc(name, shuffle))
        for name in ("lz4", "lz4hc", "blosclz", "zstd", "zlib")
        for shuffle in (0, 1, 2)
    },
}
CHECKED = ("gzip", "bz2", "xz", "crc32c", "zstd checksum")
"""Those whose checksums notice every change; the Adler-32 of zlib overlooks some."""


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("data", [PLAIN, NOISE, b"\0"], ids=["plain", "noise", "one byte"])
def test_what_others_wrote_is_read(name: str, data: bytes) -> None:
    compression, encode = ENCODERS[name]
    encoded = encode(data)
    assert len(encoded) <= max_compressed_size(len(data), (compression,))
    assert bytes(decompress(encoded, (compression,), len(data))) == data


def drawn_by_java() -> bytes:
    """Return the bytes that `tests/recorded/lz4java/PROVENANCE.md` describes."""
    state, drawn = 1, bytearray()
    for number in range(6000):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        drawn.append(number // 9 % 50 if number < 4000 else state >> 16 & 0xFF)
    return bytes(drawn)


@pytest.mark.parametrize("file", sorted(JAVA.glob("block-*")), ids=lambda file: file.name)
def test_streams_of_lz4_java_are_read(file: Path) -> None:
    assert bytes(decompress(file.read_bytes(), (Compression.N5_LZ4,), 6000)) == drawn_by_java()


def test_there_are_streams_of_lz4_java() -> None:
    assert len(list(JAVA.glob("block-*"))) == 3


@pytest.mark.parametrize("inner", ENCODERS)
@pytest.mark.parametrize("outer", ["gzip", "zlib", "zstd", "bz2", "xz", "lz4", "blosc lz4 1", "crc32c"])
def test_one_may_stand_behind_another(inner: str, outer: str) -> None:
    (first, encode_first), (second, encode_second) = ENCODERS[inner], ENCODERS[outer]
    encoded = encode_second(encode_first(PLAIN))
    assert len(encoded) <= max_compressed_size(len(PLAIN), (first, second))
    assert bytes(decompress(encoded, (first, second), len(PLAIN))) == PLAIN


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("size", [39_999, 40_001, 1, 10**6])
def test_a_chunk_of_another_size_is_refused(name: str, size: int) -> None:
    compression, encode = ENCODERS[name]
    with pytest.raises(FormatError):
        decompress(encode(PLAIN), (compression,), size)


@pytest.mark.parametrize("name", ENCODERS)
def test_a_chunk_that_is_cut_short_is_refused(name: str) -> None:
    compression, encode = ENCODERS[name]
    encoded = encode(PLAIN)
    for length in (0, 1, 3, 8, 15, 16, 20, len(encoded) // 2, len(encoded) - 1):
        if name == "gzip empty member" and length == len(encoded) // 2:
            continue
        with pytest.raises(FormatError):
            decompress(encoded[:length], (compression,), len(PLAIN))


@pytest.mark.parametrize("name", CHECKED)
def test_a_flipped_bit_never_changes_voxels(name: str) -> None:
    """It may change nothing: deflate can copy the same bytes from another place."""
    compression, encode = ENCODERS[name]
    encoded = encode(PLAIN)
    noticed = 0
    for at in range(20, len(encoded), len(encoded) // 30):
        damaged = bytearray(encoded)
        damaged[at] ^= 4
        try:
            assert bytes(decompress(bytes(damaged), (compression,), len(PLAIN))) == PLAIN
        except FormatError:
            noticed += 1
    assert noticed >= 25


@pytest.mark.parametrize("name", ENCODERS)
def test_damage_is_a_format_error_or_other_bytes_of_the_same_number(name: str) -> None:
    compression, encode = ENCODERS[name]
    encoded = encode(PLAIN)
    random = np.random.default_rng(7)
    for _ in range(100):
        damaged = bytearray(encoded)
        for at in random.integers(0, len(damaged), 3):
            damaged[at] = random.integers(0, 256)
        try:
            decoded = decompress(bytes(damaged), (compression,), len(PLAIN))
        except FormatError:
            continue
        assert len(decoded) == len(PLAIN)


def test_raw_bytes_are_counted() -> None:
    assert decompress(b"abc", (), 3) == b"abc"
    for size in (2, 4):
        with pytest.raises(FormatError, match="holds 3 bytes"):
            decompress(b"abc", (), size)


@pytest.mark.parametrize(
    ("nbytes", "cbytes", "said"),
    [
        (2**31 - 1, None, "promises 2,147,483,647 bytes"),
        (0, None, "promises 0 bytes"),
        (None, 2**31, "says 2,147,483,648 bytes"),
        (None, 0, "says 0 bytes"),
    ],
)
def test_a_blosc_header_that_lies_is_never_believed(
    nbytes: int | None, cbytes: int | None, said: str
) -> None:
    encoded = bytearray(blosc("lz4", 1)(PLAIN))
    if nbytes is not None:
        encoded[4:8] = struct.pack("<I", nbytes)
    if cbytes is not None:
        encoded[12:16] = struct.pack("<I", cbytes)
    with pytest.raises(FormatError, match=said):
        decompress(bytes(encoded), (Compression.BLOSC,), len(PLAIN))


@pytest.mark.parametrize(
    "block",
    [
        lz4_head(0x20, -1, 100),
        lz4_head(0x20, 10, -1) + bytes(10),
        lz4_head(0x20, 2**31 - 1, 100),
        lz4_head(0x20, 10, 2**31 - 1) + bytes(10),
        lz4_head(0x30, 10, 10) + bytes(10),
        lz4_head(0x10, 10, 11) + bytes(10),
        b"LZ4Block",
    ],
)
def test_a_damaged_block_of_lz4_java_is_refused(block: bytes) -> None:
    with pytest.raises(FormatError):
        decompress(block, (Compression.N5_LZ4,), 100)


@contextmanager
def limited_memory(more: int) -> Iterator[None]:
    """Let this process allocate no more than *more* bytes beyond what it has."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_bombs_take_little_memory() -> None:
    size = 64 * 1024
    for compression, encode in ENCODERS.values():  # so that every library is loaded
        decompress(encode(bytes(size)), (compression,), size)
    for name, compression, bomb in bombs():
        for steps in ((compression,), (compression, Compression.CRC32C), (Compression.ZSTD, compression)):
            data = crc32c(bomb) if Compression.CRC32C in steps else bomb
            with limited_memory(64 * MIB), pytest.raises(FormatError):
                decompress(data, steps, size)
        assert name
