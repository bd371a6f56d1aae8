"""Headers of compresso and crackle chunks, which are checked before any memory is allocated."""

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
