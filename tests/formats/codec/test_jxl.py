"""JPEG XL chunks, against images of libjxl."""

from itertools import pairwise

import imagecodecs
import numpy as np
import pytest

from dvidpc.errors import FormatError
from dvidpc.formats.codec import ChunkShape, decode_chunk
from dvidpc.formats.data_types import DataType
from dvidpc.formats.precomputed.info import Encoding
from dvidpc.types import Point

SHAPE = ChunkShape(Point(22, 10, 6), 1, DataType.UINT8)


@pytest.mark.parametrize("size", [(64, 64), (4096, 64), (9000, 3), (1, 70000), (320, 400), (13, 1)])
@pytest.mark.parametrize("container", [False, True])
def test_a_jxl_header_tells_the_size(size: tuple[int, int], *, container: bool) -> None:
    data = bytes(imagecodecs.jpegxl_encode(np.ones(size, np.uint8), lossless=True, usecontainer=container))
    shape = SHAPE._replace(size=Point(size[1], size[0], 1))
    assert (decode_chunk(data, Encoding.JXL, shape) == 1).all()
    with pytest.raises(FormatError, match=f"{size[1]}x{size[0]} pixels"):
        decode_chunk(data, Encoding.JXL, shape._replace(size=Point(5, 5, 5)))


def test_an_animation_is_no_chunk() -> None:
    frames = np.ones((3, 60, 22), np.uint8)
    data = bytes(imagecodecs.jpegxl_encode(frames, photometric="GRAY", lossless=True))
    with pytest.raises(FormatError, match="JPEG XL"):
        decode_chunk(data, Encoding.JXL, SHAPE)


def test_a_codestream_in_many_small_boxes_is_read() -> None:
    data = bytes(imagecodecs.jpegxl_encode(np.ones((60, 22), np.uint8), lossless=True, usecontainer=False))
    container = b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
    steps = [0, 1, 3, 4, 9, len(data)]
    for number, (start, stop) in enumerate(pairwise(steps)):
        last = 0x80000000 if stop == len(data) else 0
        box = b"jxlp" + (number | last).to_bytes(4, "big") + data[start:stop]
        container += (len(box) + 4).to_bytes(4, "big") + box
    assert (decode_chunk(container, Encoding.JXL, SHAPE) == 1).all()
    with pytest.raises(FormatError, match="22x60 pixels"):
        decode_chunk(container, Encoding.JXL, SHAPE._replace(size=Point(5, 5, 5)))
