"""Shards, compared with numbers and bytes from other readers."""

import struct

import numpy as np
import pytest

from dvidpc.errors import FormatError
from dvidpc.formats.grid import Grid
from dvidpc.formats.precomputed.chunk_ids import ChunkIds
from dvidpc.formats.precomputed.sharding import (
    DataEncoding,
    ShardHash,
    ShardingSpec,
    decode_minishard_index,
    decode_shard_index_entry,
    murmurhash3_x86_128_low,
)
from dvidpc.types import ByteRange, ChunkCoord, Point


def spec_of(
    preshift: int, minishard: int, shard: int, hashed: ShardHash = ShardHash.IDENTITY
) -> ShardingSpec:
    return ShardingSpec(preshift, hashed, minishard, shard, DataEncoding.GZIP, DataEncoding.RAW)


# Computed by cloud-volume, cross-read by tensorstore.
@pytest.mark.parametrize(
    ("value", "hashed"),
    [
        (0, 0x4772B084E028AE41),
        (1, 0xE8BD67D616D4CE9A),
        (2, 0xD62F9CD21B013F5A),
        (255, 0x4E2FC5B5B87BF79A),
        (2**32 - 1, 0x007260FFC08751BE),
        (2**32, 0xBBB12D133B78FD64),
        (2**64 - 1, 0x574F66BD212B5D1A),
    ],
)
def test_murmurhash_is_that_of_the_other_readers(value: int, hashed: int) -> None:
    assert murmurhash3_x86_128_low(value) == hashed


def test_locations_are_those_of_cloud_volumes_own_tests() -> None:
    spec = spec_of(6, 11, 7, ShardHash.MURMURHASH3_X86_128)
    location = spec.locate(1822975381)
    assert (spec.shard_name(location.shard), location.minishard) == ("42.shard", 18)

    grid = Grid(Point(248832, 134144, 7063), Point(0, 0, 0), Point(128, 128, 16))
    cell = ChunkCoord(*(-(-a // c) for a, c in zip((144689, 52487, 2829), grid.chunk_size, strict=True)))
    spec = spec_of(9, 6, 16)
    assert spec.shard_name(spec.locate(ChunkIds(grid).chunk_id(cell)).shard) == "458d.shard"


@pytest.mark.parametrize(
    ("bits", "name"), [(0, "5.shard"), (4, "5.shard"), (5, "05.shard"), (16, "0005.shard")]
)
def test_shard_names_are_padded_to_the_shard_bits(bits: int, name: str) -> None:
    assert spec_of(0, 0, bits).shard_name(5) == name


def test_ids_beyond_the_shard_bits_wrap() -> None:
    assert spec_of(0, 1, 1).locate(0b1101) == (0, 1)


# A complete shard written by tensorstore: bits 0/0/0, two chunks of four bytes.
SHARD = bytes.fromhex(
    "0800000000000000"
    "3800000000000000"
    "0103020405070608"
    "0000000000000000"
    "0100000000000000"
    "0000000000000000"
    "0000000000000000"
    "0400000000000000"
    "0400000000000000"
)


def test_a_shard_of_tensorstore_is_read() -> None:
    spec = spec_of(0, 0, 0)
    where = decode_shard_index_entry(SHARD[:16], spec)
    assert where == ByteRange(24, 72)
    index = decode_minishard_index(SHARD[24:72], spec)
    assert index.find(0) == ByteRange(16, 20)
    assert index.find(1) == ByteRange(20, 24)
    assert index.find(2) is None
    assert SHARD[16:20] == bytes([1, 3, 2, 4])


def test_an_entry_that_starts_where_it_ends_is_an_empty_minishard() -> None:
    assert decode_shard_index_entry(struct.pack("<2Q", 77, 77), spec_of(0, 3, 0)) is None


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (b"", "0 bytes"),
        (b"\0" * 15, "15 bytes"),
        (struct.pack("<2Q", 9, 8), "ends before it starts"),
        (struct.pack("<2Q", 0, 2**64 - 1), "implausible offset"),
    ],
)
def test_a_malformed_entry_is_refused(entry: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        decode_shard_index_entry(entry, spec_of(0, 0, 0))


def test_ids_need_not_ascend_and_data_may_have_gaps() -> None:
    spec = spec_of(0, 1, 0)
    ids = [9, 2, 5]
    starts, sizes = [100, 7, 300], [10, 3, 4]
    gaps, end = [], 0
    for start, size in zip(starts, sizes, strict=True):
        gaps.append(start - end)
        end = start + size
    deltas = [ids[0], ids[1] - ids[0], ids[2] - ids[1]]
    rows = np.array([deltas, gaps, sizes], dtype=np.int64).astype(np.uint64)
    index = decode_minishard_index(rows.tobytes(), spec)
    for chunk_id, start, size in zip(ids, starts, sizes, strict=True):
        assert index.find(chunk_id) == ByteRange(32 + start, 32 + start + size)
    assert index.find(3) is None


@pytest.mark.parametrize("data", [b"\0", b"\0" * 23, b"\0" * 49])
def test_a_minishard_index_of_invalid_length_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="multiple of 24"):
        decode_minishard_index(data, spec_of(0, 0, 0))


def test_an_empty_minishard_index_holds_nothing() -> None:
    assert decode_minishard_index(b"", spec_of(0, 0, 0)).find(0) is None


def test_a_chunk_at_an_implausible_offset_is_refused() -> None:
    index = decode_minishard_index(struct.pack("<3Q", 1, 2**63, 5), spec_of(0, 0, 0))
    with pytest.raises(FormatError, match="implausible offset"):
        index.find(1)
