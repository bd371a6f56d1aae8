"""Voxels as sub-blocks, compared with one sub-block at a time."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dvidpc.formats.dvid.sub_blocks import split_sub_blocks
from dvidpc.types import Point
from tests.label_chunks import draw_cells

NOISE = np.random.default_rng(8).integers(0, 2**64, (128, 128, 80), np.uint64)
"""So many labels that a table of all pairs would be too large."""


@pytest.mark.parametrize(
    "voxels",
    [draw_cells(40), draw_cells(30, Point(21, 13, 5), "uint32"), np.zeros((8, 8, 8), np.uint8), NOISE],
)
def test_tables_are_in_the_order_of_first_voxels(voxels: NDArray[np.unsignedinteger]) -> None:
    z, y, x = voxels.shape
    padded = np.pad(voxels, [(0, -n % 8) for n in voxels.shape])
    split = split_sub_blocks(voxels)
    assert split.grid == Point(-(-x // 8), -(-y // 8), -(-z // 8))
    start = 0
    for number, (count, indexes) in enumerate(zip(split.counts.tolist(), split.indexes, strict=True)):
        at_z, rest = divmod(number, split.grid.x * split.grid.y)
        at_y, at_x = divmod(rest, split.grid.x)
        part = padded[8 * at_z :, 8 * at_y :, 8 * at_x :][:8, :8, :8].reshape(-1)
        table = split.labels[start : start + count].tolist()
        assert table == list(dict.fromkeys(part.tolist()))
        assert (split.labels[start + indexes.astype(int)] == part).all()
        start += count
    assert start == len(split.labels)
