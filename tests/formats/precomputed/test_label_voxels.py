"""Decoded compressed_segmentation chunks, compared with what their writers were given."""

from collections.abc import Callable

import compressed_segmentation
import numpy as np
import pytest

from dvidpc.formats.precomputed.label_chunk import parse_label_chunk
from dvidpc.formats.precomputed.label_voxels import count_labels, cut_voxels, decode_voxels
from dvidpc.types import Point
from tests.label_chunks import (
    CUBE,
    EIGHT,
    LARGE_LABELS,
    Voxels,
    draw_cells,
    write_by_hand,
    write_with_library,
    write_with_tensorstore,
)
from tests.recorded_labels import array

WIDE = array("wide")[:, :, :64]
"""Sub-blocks of 1 to 512 labels."""


SIZES = [CUBE, Point(70, 33, 9), Point(1, 1, 1)]


@pytest.mark.parametrize("write", [write_with_library, write_with_tensorstore])
@pytest.mark.parametrize("sub_block", [EIGHT, Point(16, 16, 2), Point(5, 3, 7)])
@pytest.mark.parametrize("dtype", ["uint32", "uint64"])
@pytest.mark.parametrize("size", SIZES)
def test_voxels_are_what_the_writer_was_given(
    write: Callable[[Voxels, Point], bytes], sub_block: Point, dtype: str, size: Point
) -> None:
    voxels = draw_cells(60, size, dtype)
    chunk = parse_label_chunk(write(voxels, sub_block), size, sub_block, voxels.itemsize)
    decoded = decode_voxels(chunk)
    assert decoded.dtype == voxels.dtype
    assert (decoded == voxels).all()


def test_sub_blocks_of_1_to_512_labels() -> None:
    data = write_with_library(WIDE)
    by_library = (
        compressed_segmentation.decompress(data, CUBE, np.uint64, EIGHT, order="F").reshape(CUBE, order="F").T
    )
    decoded = decode_voxels(parse_label_chunk(data, CUBE, EIGHT, 8))
    assert (decoded == WIDE).all()
    assert (decoded == by_library).all()


def test_every_voxel_has_another_label() -> None:
    voxels = np.random.default_rng(3).permutation(64**3).astype(np.uint64).reshape(64, 64, 64)
    assert (decode_voxels(parse_label_chunk(write_with_library(voxels), CUBE, EIGHT, 8)) == voxels).all()


@pytest.mark.parametrize("dtype", ["uint32", "uint64"])
@pytest.mark.parametrize("width", [1, 2, 4, 8, 16, 32])
def test_indexes_may_be_wider_than_needed(width: int, dtype: str) -> None:
    voxels = draw_cells(9, Point(20, 20, 20), dtype)
    data = write_by_hand(voxels, EIGHT, (width,), padding=2**32 - 1, gap=2)
    assert (decode_voxels(parse_label_chunk(data, Point(20, 20, 20), EIGHT, voxels.itemsize)) == voxels).all()


def test_a_table_may_be_shared() -> None:
    voxels = draw_cells(30)
    data = write_by_hand(voxels, EIGHT, share_all=True)
    assert (decode_voxels(parse_label_chunk(data, CUBE, EIGHT, 8)) == voxels).all()


@pytest.mark.parametrize("size", SIZES)
def test_counts_leave_out_padding(size: Point) -> None:
    voxels = draw_cells(25, size)
    for data in (write_with_tensorstore(voxels), write_by_hand(voxels, EIGHT, padding=0)):
        labels, counts = count_labels(parse_label_chunk(data, size, EIGHT, 8))
        expected = np.unique(voxels, return_counts=True)
        assert labels.tolist() == expected[0].tolist()
        assert counts.tolist() == expected[1].tolist()


def test_a_label_that_tables_name_twice_is_counted_once() -> None:
    words = np.frombuffer(
        write_by_hand(np.arange(8, dtype=np.uint32).reshape(2, 2, 2), Point(2, 2, 2)), "<u4"
    ).copy()
    words[words.size - 8 :] = [3, 3, 3, 5, 5, 9, 9, 9]
    labels, counts = count_labels(parse_label_chunk(words.tobytes(), Point(2, 2, 2), Point(2, 2, 2), 4))
    assert (labels.tolist(), counts.tolist()) == ([3, 5, 9], [3, 2, 3])


def test_large_labels_are_exact() -> None:
    voxels = np.array(LARGE_LABELS, np.uint64).reshape(1, 1, 3)
    labels, _ = count_labels(parse_label_chunk(write_with_library(voxels), Point(3, 1, 1), EIGHT, 8))
    assert labels.tolist() == sorted(LARGE_LABELS)


@pytest.mark.parametrize("sub_block", [EIGHT, Point(16, 16, 2), Point(5, 3, 7), Point(64, 64, 64)])
@pytest.mark.parametrize("size", SIZES)
def test_any_part_is_cut_out(sub_block: Point, size: Point) -> None:
    voxels = draw_cells(60, size)
    chunk = parse_label_chunk(write_by_hand(voxels, sub_block, padding=9), size, sub_block, 8)
    rng = np.random.default_rng(3)
    for _ in range(40):
        corner = Point(*(int(rng.integers(n)) for n in size))
        extent = Point(*(int(rng.integers(1, n - at + 1)) for at, n in zip(corner, size, strict=True)))
        (x, y, z), (width, height, depth) = corner, extent
        expected = voxels[z : z + depth, y : y + height, x : x + width]
        part = cut_voxels(chunk, corner, extent)
        assert part.shape == expected.shape
        assert (part == expected).all()
    assert (cut_voxels(chunk, Point(0, 0, 0), size) == voxels).all()
