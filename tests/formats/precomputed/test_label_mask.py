"""The voxels of a label in a compressed_segmentation chunk, compared with what its writers were given."""

from collections.abc import Callable

import numpy as np
import pytest

from dvidpc.formats.precomputed.label_chunk import parse_label_chunk
from dvidpc.formats.precomputed.label_mask import mask_of
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

WIDE = array("wide")[:, :, :64]


def check(data: bytes, voxels: Voxels, sub_block: Point) -> None:
    size = Point(*voxels.shape[::-1])
    chunk = parse_label_chunk(data, size, sub_block, voxels.itemsize)
    labels = np.unique(voxels)
    most = 2 ** (8 * voxels.itemsize)
    for label in [*labels[:: max(1, len(labels) // 30)].tolist(), 987_654_321, 0, most - 1, most]:
        expected = np.zeros_like(voxels, np.bool_) if label >= most else voxels == label
        assert np.array_equal(mask_of(chunk, label), expected), label


@pytest.mark.parametrize("write", [write_with_library, write_with_tensorstore])
@pytest.mark.parametrize("sub_block", [EIGHT, Point(16, 16, 2), Point(5, 3, 7)])
@pytest.mark.parametrize("dtype", ["uint32", "uint64"])
@pytest.mark.parametrize("size", [CUBE, Point(70, 33, 9), Point(1, 1, 1)])
def test_every_label_is_found_where_it_is(
    write: Callable[[Voxels, Point], bytes], sub_block: Point, dtype: str, size: Point
) -> None:
    voxels = draw_cells(60, size, dtype)
    check(write(voxels, sub_block), voxels, sub_block)


def test_sub_blocks_of_1_to_512_labels() -> None:
    check(write_with_library(WIDE), WIDE, EIGHT)


@pytest.mark.parametrize("dtype", ["uint32", "uint64"])
@pytest.mark.parametrize("width", [1, 2, 4, 8, 16, 32])
@pytest.mark.parametrize("gap", [0, 1, 2])
def test_indexes_may_be_wider_than_needed(width: int, gap: int, dtype: str) -> None:
    voxels = draw_cells(9, Point(20, 20, 20), dtype)
    check(write_by_hand(voxels, EIGHT, (width,), padding=2**32 - 1, gap=gap), voxels, EIGHT)


def test_a_table_may_be_shared() -> None:
    voxels = draw_cells(30)
    check(write_by_hand(voxels, EIGHT, share_all=True), voxels, EIGHT)


def test_a_label_that_a_table_names_twice_is_found_at_both() -> None:
    two = Point(2, 2, 2)
    words = np.frombuffer(write_by_hand(np.arange(8, dtype=np.uint32).reshape(2, 2, 2), two), "<u4").copy()
    words[words.size - 8 :] = [3, 3, 3, 5, 5, 9, 9, 9]
    chunk = parse_label_chunk(words.tobytes(), two, two, 4)
    assert mask_of(chunk, 3).reshape(-1).tolist() == [True] * 3 + [False] * 5
    assert mask_of(chunk, 9).reshape(-1).tolist() == [False] * 5 + [True] * 3


def test_labels_whose_halves_look_like_another_are_not_mixed_up() -> None:
    voxels = np.array([1, 1 << 32, (1 << 32) + 1, 0, 2, 1 << 33, 5, (5 << 32) + 1], np.uint64).reshape(
        2, 2, 2
    )
    for gap in (0, 1):
        check(write_by_hand(voxels, Point(2, 2, 2), gap=gap), voxels, Point(2, 2, 2))
