"""Voxels of sub-blocks are counted without expanding them, as numpy counts those the writers were given."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from dvidpc.formats.precomputed.label_chunk import parse_label_chunk
from dvidpc.formats.precomputed.label_counts import count_sub_blocks
from dvidpc.types import Point
from tests.label_chunks import (
    CUBE,
    EIGHT,
    Voxels,
    draw_cells,
    write_by_hand,
    write_with_library,
    write_with_tensorstore,
)
from tests.recorded_labels import array

Counts = Counter[tuple[int, int]]
"""Voxels by sub-block and label."""


def counted(data: bytes, size: Point, sub_block: Point, itemsize: int) -> Counts:
    found = count_sub_blocks(parse_label_chunk(data, size, sub_block, itemsize))
    assert (found.counts > 0).all()
    counts: Counts = Counter()
    for number, label, count in zip(*(column.tolist() for column in found), strict=True):
        counts[number, label] += count
    return counts


def truth(voxels: Voxels, sub_block: Point) -> Counts:
    axes = zip(voxels.shape, sub_block[::-1], strict=True)
    along_z, along_y, along_x = (np.arange(n) // b for n, b in axes)
    x, y = along_x[-1] + 1, along_y[-1] + 1
    numbers = along_x + x * (along_y[:, None] + y * along_z[:, None, None])
    pairs = zip(numbers.reshape(-1).tolist(), voxels.reshape(-1).tolist(), strict=True)
    return Counter(pairs)


@pytest.mark.parametrize("write", [write_with_library, write_with_tensorstore])
@pytest.mark.parametrize("sub_block", [EIGHT, Point(16, 16, 2), Point(5, 3, 7)])
@pytest.mark.parametrize("dtype", ["uint32", "uint64"])
@pytest.mark.parametrize("size", [CUBE, Point(70, 33, 9), Point(1, 1, 1)])
def test_counts_are_those_of_the_voxels(
    write: Callable[[Voxels, Point], bytes], sub_block: Point, dtype: str, size: Point
) -> None:
    voxels = draw_cells(60, size, dtype)
    assert counted(write(voxels, sub_block), size, sub_block, voxels.itemsize) == truth(voxels, sub_block)


@pytest.mark.parametrize("labels", [1, 2, 3, 4, 5, 16, 17, 256, 257, 512])
def test_every_width_of_indexes_is_counted(labels: int) -> None:
    rng = np.random.default_rng(labels)
    voxels = rng.integers(0, labels, CUBE, np.uint64) * np.uint64(2**40 + 1)
    assert counted(write_with_library(voxels), CUBE, EIGHT, 8) == truth(voxels, EIGHT)


def test_sub_blocks_of_1_to_512_labels() -> None:
    wide = array("wide")[:, :, :64]
    assert counted(write_with_library(wide), CUBE, EIGHT, 8) == truth(wide, EIGHT)


@pytest.mark.parametrize("size", [Point(16, 12, 9), Point(70, 33, 9)])
@pytest.mark.parametrize("padding", [0, 1, 2**32 - 1])
@pytest.mark.parametrize("sub_block", [EIGHT, Point(2, 2, 2), Point(3, 5, 1)])
@pytest.mark.parametrize("share_all", [False, True])
def test_padding_and_unused_entries_do_not_count(
    size: Point, padding: int, sub_block: Point, *, share_all: bool
) -> None:
    voxels = draw_cells(300, size)
    widths = (1, 2, 4, 8, 16, 32)
    data = write_by_hand(voxels, sub_block, widths, padding=padding, share_all=share_all, gap=3)
    assert counted(data, size, sub_block, 8) == truth(voxels, sub_block)
