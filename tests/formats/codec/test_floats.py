"""Headers of fpzip and zfpc chunks, which are checked before any memory is allocated."""

import numpy as np
import pytest

from dvidpc.errors import FormatError
from dvidpc.formats.codec import ChunkShape
from dvidpc.formats.codec.floats import decode_zfpc, read_fpzip_size
from dvidpc.formats.data_types import DataType
from dvidpc.types import Point
from tests.encoders import ENCODERS, draw_voxels

SHAPE = ChunkShape(Point(22, 10, 6), 1, DataType.INT32)
ZFPC = ENCODERS["zfpc"](draw_voxels(SHAPE.size, "int32", 1))


@pytest.mark.parametrize("size", [(22, 10, 6), (1, 70_000, 1), (300, 1, 2)])
def test_an_fpzip_header_holds_the_size(size: tuple[int, int, int]) -> None:
    voxels = np.ones((*size, 1), np.float32)
    assert read_fpzip_size(ENCODERS["fpzip"](voxels)) == (*size, 1)


def test_bytes_without_an_fpzip_header_are_refused() -> None:
    with pytest.raises(FormatError, match="no fpzip header"):
        read_fpzip_size(b"no fpzip at all")


def test_int32_keeps_all_its_bits() -> None:
    voxels = draw_voxels(SHAPE.size, "int32", 1)
    assert (decode_zfpc(ZFPC, SHAPE) == voxels.T).all()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (ZFPC[:10], "truncated zfpc chunk: 10 bytes"),
        (b"x" + ZFPC[1:], "no zfpc header"),
        (ZFPC[:30], "the index is incomplete"),
        (ZFPC[:-1], "the streams are incomplete"),
    ],
)
def test_a_malformed_zfpc_chunk_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        decode_zfpc(data, SHAPE)
