"""Packed indexes, compared with arithmetic on one large number per sub-block."""

import numpy as np
import pytest

from dvidpc.formats.precomputed.label_indexes import pack_indexes, packed_length, unpack_indexes


@pytest.mark.parametrize("width", [1, 2, 4, 8, 16, 32])
def test_indexes_lie_lowest_bits_first(width: int) -> None:
    indexes = np.random.default_rng(width).integers(0, 1 << width, (3, 512), np.uint32)
    packed = pack_indexes(indexes, width)
    assert packed.shape == (3, packed_length(512, width))
    for row, words in zip(indexes.tolist(), packed, strict=True):
        number = int.from_bytes(words.astype("<u4").tobytes(), "little")
        assert [number >> width * at & (1 << width) - 1 for at in range(512)] == row
    assert (unpack_indexes(packed, width, 512) == indexes).all()


@pytest.mark.parametrize(
    ("voxels", "width", "words"), [(512, 0, 0), (512, 1, 16), (105, 1, 4), (105, 4, 14), (3, 32, 3)]
)
def test_the_last_word_may_be_partly_used(voxels: int, width: int, words: int) -> None:
    assert packed_length(voxels, width) == words
    packed = np.full((2, words), 0xFFFFFFFF, np.uint32)
    assert (unpack_indexes(packed, width, voxels) == (1 << width) - 1).all()
    assert unpack_indexes(packed, width, voxels).shape == (2, voxels)
