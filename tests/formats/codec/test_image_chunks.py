"""Images whose pixels are a chunk's voxels."""

import numpy as np
import pytest

from dvidpc.errors import FormatError
from dvidpc.formats.codec import ChunkShape
from dvidpc.formats.codec.image_chunks import check_pixels, pixels_to_voxels
from dvidpc.formats.data_types import DataType
from dvidpc.types import Point

SHAPE = ChunkShape(Point(4, 3, 2), 2, DataType.UINT8)


@pytest.mark.parametrize(("rows", "columns"), [(6, 4), (3, 8), (24, 1)])
def test_an_image_of_any_width_holds_the_voxels_x_fastest(rows: int, columns: int) -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(rows, columns, 2)
    check_pixels("PNG", columns, rows, SHAPE)
    voxels = pixels_to_voxels(pixels, SHAPE)
    assert voxels.shape == SHAPE.czyx
    assert voxels[1, 1, 2, 3] == 2 * (1 * 12 + 2 * 4 + 3) + 1
    assert np.shares_memory(voxels, pixels)


def test_an_image_of_another_size_or_type_is_refused() -> None:
    with pytest.raises(FormatError, match="PNG has 5x5 pixels, not 24 voxels"):
        check_pixels("PNG", 5, 5, SHAPE)
    for pixels in (np.zeros((6, 4), np.uint8), np.zeros((6, 4, 2), np.uint16)):
        with pytest.raises(FormatError, match="not 48 of uint8"):
            pixels_to_voxels(pixels, SHAPE)
