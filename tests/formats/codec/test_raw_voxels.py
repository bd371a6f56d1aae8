"""Raw chunks and uncompressed payloads."""

import numpy as np
import pytest

from dvidpc.errors import FormatError
from dvidpc.formats.codec import ChunkShape, decode_chunk, encode_raw
from dvidpc.formats.data_types import DataType
from dvidpc.formats.precomputed.info import Encoding
from dvidpc.types import Point

GRAY = ChunkShape(Point(22, 10, 6), 1, DataType.UINT8)


def test_raw_is_x_fastest_and_channel_slowest() -> None:
    shape = ChunkShape(Point(2, 3, 4), 2, DataType.UINT16)
    decoded = decode_chunk(np.arange(48, dtype="<u2").tobytes(), Encoding.RAW, shape)
    assert decoded[1, 2, 1, 1] == 24 + 2 * 6 + 1 * 2 + 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "0 bytes"),
        (b"x" * 1319, "1319 bytes, not 1320"),
        (b"x" * 1321, "1321 bytes, not 1320"),
    ],
)
def test_a_raw_chunk_of_another_length_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        decode_chunk(data, Encoding.RAW, GRAY)


def test_the_values_of_a_voxel_lie_together_in_a_raw_payload() -> None:
    block = np.arange(3 * 8, dtype=np.uint8).reshape(3, 2, 2, 2)
    assert encode_raw(np.moveaxis(block, 0, -1))[:6] == bytes([0, 8, 16, 1, 9, 17])
