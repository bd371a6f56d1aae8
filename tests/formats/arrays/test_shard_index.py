"""Indexes of shards, made by hand; `test_drawn_arrays.py` reads those of other libraries."""

import itertools

import numpy as np
import pytest

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.shard_index import ShardLayout, decode_shard_index
from dvidpc.types import ByteRange
from tests.zarr_python import numcodecs

EMPTY = 2**64 - 1
CELLS = (2, 3)
ENTRIES = np.array([[[0, 10], [EMPTY, EMPTY], [30, 5]], [[10, 20], [EMPTY, EMPTY], [100, 1]]], np.uint64)


def crc32c(data: bytes) -> bytes:
    return bytes(numcodecs.get_codec({"id": "crc32c", "location": "end"}).encode(data))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("has_checksum", [True, False])
def test_entries_are_found(order: tuple[int, ...], byte_order: str, *, has_checksum: bool) -> None:
    layout = ShardLayout(
        (20, 30), CELLS, has_checksum=has_checksum, is_big_endian=byte_order == ">", perm=order
    )
    data = ENTRIES.transpose(order).astype(f"{byte_order}u8").tobytes()
    data = crc32c(data) if has_checksum else data
    assert layout.index_size == len(data)
    index = decode_shard_index(data, layout)
    assert index.find((0, 0)) == ByteRange(0, 10)
    assert index.find((0, 2)) == ByteRange(30, 35)
    assert index.find((1, 0)) == ByteRange(10, 30)
    assert index.find((1, 1)) is None
    assert index.is_stored().tolist() == [[True, False, True], [True, False, True]]
    assert index.end() == 101


def test_a_wrong_checksum_is_noticed() -> None:
    data = bytearray(crc32c(ENTRIES.tobytes()))
    data[3] ^= 1
    with pytest.raises(FormatError, match="CRC32C"):
        decode_shard_index(bytes(data), ShardLayout((20, 30), CELLS))


@pytest.mark.parametrize("size", [0, 3, 96, 99, 101])
def test_an_index_of_another_size_is_refused(size: int) -> None:
    data = (crc32c(ENTRIES.tobytes()) + b"\0")[:size]
    with pytest.raises(FormatError, match=f"has {size} bytes, not 100"):
        decode_shard_index(data, ShardLayout((20, 30), CELLS))


@pytest.mark.parametrize(
    "entry", [(0, 0), (5, 0), (0, EMPTY), (EMPTY, 0), (EMPTY, 1), (2**63, 1), (2**62, 2**63)]
)
def test_an_impossible_entry_is_damage_and_not_absence(entry: tuple[int, int]) -> None:
    layout = ShardLayout((1,), (1,), has_checksum=False)
    index = decode_shard_index(np.array(entry, "<u8").tobytes(), layout)
    with pytest.raises(FormatError, match="damaged shard index"):
        index.find((0,))


def test_an_empty_shard_ends_at_0() -> None:
    layout = ShardLayout((1,), (1,), has_checksum=False)
    assert decode_shard_index(np.array([EMPTY, EMPTY], "<u8").tobytes(), layout).end() == 0
