"""Voxels of labels are counted by block, wherever chunks are cut; numpy counts one voxel after the other."""

import numpy as np
import pytest

from dvidpc.formats.dvid.label_index import merge_entries
from dvidpc.formats.precomputed.label_chunk import parse_label_chunk
from dvidpc.index.build.block_counts import BlockCounts, add_equal, count_chunk, count_voxels
from dvidpc.types import Point
from tests.label_chunks import EIGHT, Voxels, draw_cells, write_with_library
from tests.label_index import count_blocks

CORNERS = [(0, 0, 0), (8, -8, 120), (5, 60, -3)]
SIZES = [Point(64, 64, 64), Point(128, 64, 32), Point(70, 33, 9)]


def draw(size: Point, dtype: str = "uint64") -> Voxels:
    """Return cells, a fourth of them of label 0."""
    voxels = draw_cells(40, size, dtype)
    voxels[np.isin(voxels, np.unique(voxels)[::4])] = 0
    return voxels


def assert_equal(counts: BlockCounts, voxels: Voxels, corner: tuple[int, int, int]) -> None:
    found, truth = merge_entries(*counts), merge_entries(*count_blocks(voxels, corner))
    assert [column.tolist() for column in found] == [column.tolist() for column in truth]
    assert [column.dtype for column in counts] == [np.uint64, np.uint64, np.uint32]


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("sub_block", [EIGHT, Point(16, 16, 2), Point(5, 3, 7)])
@pytest.mark.parametrize("dtype", ["uint32", "uint64"])
def test_counts_of_a_chunk(corner: tuple[int, int, int], size: Point, sub_block: Point, dtype: str) -> None:
    voxels = draw(size, dtype)
    chunk = parse_label_chunk(write_with_library(voxels, sub_block), size, sub_block, voxels.itemsize)
    assert_equal(count_chunk(chunk, Point(*corner)), voxels, corner)


@pytest.mark.parametrize("corner", CORNERS)
@pytest.mark.parametrize("size", SIZES)
def test_counts_of_voxels(corner: tuple[int, int, int], size: Point) -> None:
    voxels = draw(size)
    assert_equal(count_voxels(voxels, Point(*corner)), voxels, corner)
    noise = np.random.default_rng(5).integers(0, 9, size[::-1], np.uint64)
    assert_equal(count_voxels(noise, Point(*corner)), noise, corner)


def test_neighboring_pairs_are_added_up() -> None:
    labels, blocks = np.array([1, 1, 1, 2, 2], np.uint64), np.array([7, 7, 8, 8, 8], np.uint64)
    added = add_equal(BlockCounts(labels, blocks, np.array([2**18, 5, 1, 1, 1], np.uint32)))
    assert [column.tolist() for column in added] == [[1, 1, 2], [7, 8, 8], [2**18 + 5, 1, 2]]
    assert add_equal(added.take(np.zeros(0, int))).rows == 0
