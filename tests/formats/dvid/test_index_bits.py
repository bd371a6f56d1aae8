"""Indexes of 1 to 9 bits, compared with arithmetic on one large number per sub-block."""

import numpy as np
import pytest

from dvidpc.formats.dvid.index_bits import ValueRows, bits_for, pack_high_first, unpack_high_first


@pytest.mark.parametrize("bits", range(1, 10))
def test_indexes_lie_highest_bit_first(bits: int) -> None:
    indexes = np.random.default_rng(bits).integers(0, 1 << bits, (3, 512), np.uint16)
    packed = pack_high_first(indexes, bits)
    for row, octets in zip(indexes.tolist(), packed, strict=True):
        number = int.from_bytes(octets.tobytes(), "big")
        assert [number >> bits * (511 - at) & (1 << bits) - 1 for at in range(512)] == row
    assert (unpack_high_first(packed, bits) == indexes).all()


def test_as_few_bits_as_possible() -> None:
    counts = np.arange(1, 513)
    assert bits_for(counts).tolist() == [int(n - 1).bit_length() for n in counts]


def test_rows_of_all_sub_blocks_follow_each_other() -> None:
    rows = ValueRows(np.array([2, 0, 1, 2]), 4)
    assert [(bits, numbers.tolist()) for bits, numbers in rows.by_bits()] == [(1, [2]), (2, [0, 3])]
    rows.put(np.array([0, 3]), 2, np.array([[1] * 8, [3] * 8], np.uint8))
    rows.put(np.array([2]), 1, np.array([[2] * 4], np.uint8))
    assert rows.tobytes() == bytes([1] * 8 + [2] * 4 + [3] * 8)
