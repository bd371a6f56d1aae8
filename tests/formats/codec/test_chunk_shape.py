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
