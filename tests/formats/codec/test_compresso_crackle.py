"""Headers of compresso and crackle chunks, which are checked before any memory is allocated."""

import numpy as np
import pytest

from dvidpc.errors import FormatError
from dvidpc.formats.codec import ChunkShape
from dvidpc.formats.codec.compresso_crackle import decode_compresso, decode_crackle
from dvidpc.formats.data_types import DataType
from dvidpc.types import Point
from tests.encoders import ENCODERS, draw_voxels

SHAPE = ChunkShape(Point(22, 10, 6), 1, DataType.INT16)
DECODERS = {"compresso": decode_compresso, "crackle": decode_crackle}


@pytest.mark.parametrize("kind", DECODERS)
def test_signed_labels_are_stored_as_unsigned_ones(kind: str) -> None:
    labels = draw_voxels(SHAPE.size, "uint16", 1)
    assert (DECODERS[kind](ENCODERS[kind](labels), SHAPE) == labels.T.view("<i2")).all()


@pytest.mark.parametrize("kind", DECODERS)
def test_a_chunk_with_another_header_is_refused(kind: str) -> None:
    data = ENCODERS[kind](draw_voxels(SHAPE.size, "uint16", 1))
    for wrong, shape, reason in (
        (data[:9], SHAPE, f"truncated {kind} chunk: 9 bytes"),
        (b"x" + data[1:], SHAPE, f"no {kind} header"),
        (data, SHAPE._replace(size=Point(22, 10, 7)), "voxels, not \\(22, 10, 7\\)"),
    ):
        with pytest.raises(FormatError, match=reason):
            DECODERS[kind](wrong, shape)


@pytest.mark.parametrize("padding", [bytes(1), bytes(64), b"\xaa" * 7])
@pytest.mark.parametrize("labels", [1, 3, 300])
@pytest.mark.parametrize("kind", DECODERS)
def test_a_chunk_with_padding_is_refused_and_not_misread(kind: str, padding: bytes, labels: int) -> None:
    voxels = np.random.default_rng(labels).integers(0, labels, (64, 64, 64, 1)).astype("<u4")
    shape = ChunkShape(Point(64, 64, 64), 1, DataType.UINT32)
    data = ENCODERS[kind](voxels)
    assert (DECODERS[kind](data, shape) == voxels.T).all()
    with pytest.raises(FormatError, match="malformed"):
        DECODERS[kind](data + padding, shape)
