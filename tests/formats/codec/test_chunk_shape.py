"""Sizes that follow from a chunk's shape."""

import numpy as np

from dvidpc.formats.codec import ChunkShape
from dvidpc.formats.data_types import DataType
from dvidpc.types import Point


def test_sizes_are_those_of_the_decoded_array() -> None:
    shape = ChunkShape(Point(2, 3, 4), 5, DataType.UINT16)
    array = np.zeros(shape.czyx, shape.dtype)
    assert array.shape == (5, 4, 3, 2)
    assert (shape.num_voxels, shape.nbytes) == (24, array.nbytes)


def test_an_encoded_chunk_may_be_larger_than_its_voxels() -> None:
    shape = ChunkShape(Point(8, 8, 8), 1, DataType.UINT64)
    assert shape.max_encoded_size > 2 * shape.nbytes


def test_an_encoded_chunk_may_hold_the_padding_of_large_label_blocks() -> None:
    shape = ChunkShape(Point(70, 70, 1), 1, DataType.UINT64, Point(64, 64, 64))
    assert shape.max_encoded_size > 4 * 64**3 * (2 + 8)
    absurd = shape._replace(label_block=Point(2**20, 2**20, 2**20))
    assert absurd.max_encoded_size < 2**27
