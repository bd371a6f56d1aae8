"""PNG chunks whose header does not fit the volume."""

import imagecodecs
import numpy as np
import pytest

from dvidpc.errors import FormatError
from dvidpc.formats.codec import ChunkShape, decode_chunk
from dvidpc.formats.data_types import DataType
from dvidpc.formats.precomputed.info import Encoding
from dvidpc.types import Point

SHAPE = ChunkShape(Point(22, 10, 6), 1, DataType.UINT8)


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.zeros((60, 22), np.uint16), "16 bits and color type 0, but the volume has 1 channel"),
        (np.zeros((60, 22, 3), np.uint8), "8 bits and color type 2"),
        (np.zeros((60, 21), np.uint8), "21x60 pixels, not 1320 voxels"),
    ],
)
def test_a_png_of_another_kind_is_refused(
    pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], reason: str
) -> None:
    with pytest.raises(FormatError, match=reason):
        decode_chunk(bytes(imagecodecs.png_encode(pixels)), Encoding.PNG, SHAPE)


@pytest.mark.parametrize("data", [b"no png at all, but long enough to hold a header", b"\x89PNG\r\n\x1a\n"])
def test_bytes_without_a_png_header_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="no PNG header"):
        decode_chunk(data, Encoding.PNG, SHAPE)
