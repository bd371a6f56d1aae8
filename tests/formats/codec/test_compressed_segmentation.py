"""compressed_segmentation chunks with invalid offsets."""

import numpy as np
import pytest

from dvidpc.errors import FormatError
from dvidpc.formats.codec import ChunkShape, decode_chunk
from dvidpc.formats.data_types import DataType
from dvidpc.formats.precomputed.info import Encoding
from dvidpc.types import Point
from tests.encoders import ENCODERS, LABEL_BLOCK, draw_voxels

SHAPE = ChunkShape(Point(22, 10, 6), 1, DataType.UINT64, Point(*LABEL_BLOCK))
DATA = ENCODERS["compressed_segmentation"](draw_voxels(SHAPE.size, "uint64", 1))


def with_word(at: int, value: int) -> bytes:
    words = np.frombuffer(DATA, "<u4").copy()
    words[at] = value
    return words.tobytes()


def test_a_wild_offset_of_compressed_segmentation_is_refused() -> None:
    words = len(DATA) // 4
    for at in range(min(words, 40)):
        for value in (0xFFFFFFFF, 0x20FFFFFF, words - 2, 0x08000000 | (words - 2)):
            try:
                decode_chunk(with_word(at, value), Encoding.COMPRESSED_SEGMENTATION, SHAPE)
            except FormatError:
                continue


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (DATA[:-1], "truncated"),
        (DATA[:8], "block headers are incomplete"),
        (with_word(1, 0x03000000), "invalid bit width"),
        (with_word(2, 0x00FFFFFF), "values lie past the end"),
        (with_word(1, 0x20FFFFFF), "past the end"),
    ],
)
def test_a_malformed_chunk_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        decode_chunk(data, Encoding.COMPRESSED_SEGMENTATION, SHAPE)


def test_a_scale_without_a_block_size_cannot_be_decoded() -> None:
    with pytest.raises(FormatError, match="compressed_segmentation_block_size is missing"):
        decode_chunk(DATA, Encoding.COMPRESSED_SEGMENTATION, SHAPE._replace(label_block=None))
