"""Labels of single voxels, read without decoding the chunk."""

import numpy as np
import pytest

from dvidpc.formats.precomputed.label_chunk import parse_label_chunk
from dvidpc.formats.precomputed.label_lookup import label_at, labels_of
from dvidpc.types import Point
from tests.label_chunks import EIGHT, LARGE_LABELS, draw_cells, write_by_hand, write_with_tensorstore

SIZE = Point(70, 33, 21)


@pytest.mark.parametrize("dtype", ["uint32", "uint64"])
@pytest.mark.parametrize("sub_block", [EIGHT, Point(16, 16, 2)])
def test_random_voxels(dtype: str, sub_block: Point) -> None:
    voxels = draw_cells(80, SIZE, dtype)
    chunk = parse_label_chunk(write_with_tensorstore(voxels, sub_block), SIZE, sub_block, voxels.itemsize)
    points = np.random.default_rng(4).integers(0, SIZE, (3000, 3))
    expected = voxels[points[:, 2], points[:, 1], points[:, 0]].tolist()
    assert labels_of(chunk, points).tolist() == expected
    assert [label_at(chunk, Point(*point)) for point in points.tolist()] == expected


@pytest.mark.parametrize("width", [0, 1, 2, 4, 8, 16, 32])
def test_every_width(width: int) -> None:
    voxels = draw_cells(1 if width == 0 else 2, Point(9, 9, 9))
    chunk = parse_label_chunk(write_by_hand(voxels, EIGHT, (width,)), Point(9, 9, 9), EIGHT, 8)
    points = np.argwhere(voxels > 0)[:, ::-1]
    assert labels_of(chunk, points).tolist() == voxels.reshape(-1).tolist()
    assert label_at(chunk, Point(8, 7, 6)) == int(voxels[6, 7, 8])


def test_large_labels_are_exact() -> None:
    voxels = np.array(LARGE_LABELS, np.uint64).reshape(1, 1, 3)
    chunk = parse_label_chunk(write_with_tensorstore(voxels), Point(3, 1, 1), EIGHT, 8)
    assert [label_at(chunk, Point(x, 0, 0)) for x in range(3)] == list(LARGE_LABELS)


def test_no_voxels_have_no_labels() -> None:
    chunk = parse_label_chunk(write_by_hand(draw_cells(2), EIGHT), Point(64, 64, 64), EIGHT, 8)
    assert labels_of(chunk, np.zeros((0, 3), np.int64)).tolist() == []


@pytest.mark.parametrize("voxel", [(-1, 0, 0), (0, 33, 0), (0, 0, 21)])
def test_a_voxel_outside_is_an_error(voxel: tuple[int, int, int]) -> None:
    chunk = parse_label_chunk(write_by_hand(draw_cells(2, SIZE), EIGHT), SIZE, EIGHT, 8)
    with pytest.raises(ValueError, match="outside the chunk, which has"):
        label_at(chunk, Point(*voxel))
    with pytest.raises(ValueError, match="outside the chunk, which has"):
        labels_of(chunk, np.array([voxel]))
