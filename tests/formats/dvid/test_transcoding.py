"""labels.Block made from a compressed_segmentation chunk, read by a decoder that shares no code with ours."""

import numpy as np
import pytest

from dvidpc.formats.dvid.labels_block import encode_block
from dvidpc.formats.dvid.transcoding import encode_chunk, transcode
from dvidpc.formats.precomputed.label_chunk import parse_label_chunk
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
from tests.recorded_labels import array, read_labels_block

BLOCKS = {
    "solid 0": np.zeros(CUBE, np.uint64),
    "solid": np.full(CUBE, 2**64 - 1, np.uint64),
    "cells": draw_cells(100),
    "uint32": draw_cells(100, dtype="uint32"),
    "wide": array("wide")[:, :, :64],
    "one voxel": array("wide")[:, :, 64:],
    "all": np.random.default_rng(9).permutation(64**3).astype(np.uint64).reshape(CUBE),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_chunks_of_the_usual_writers(name: str) -> None:
    voxels = BLOCKS[name]
    for write in (write_with_library, write_with_tensorstore):
        data = transcode(parse_label_chunk(write(voxels), CUBE, EIGHT, voxels.itemsize))
        assert data is not None
        assert (read_labels_block(data) == voxels).all()
        assert len(data) == len(encode_block(voxels))


@pytest.mark.parametrize("width", [1, 2, 4, 8, 16, 32])
def test_wider_indexes_than_needed_are_narrowed(width: int) -> None:
    voxels = draw_cells(60)
    data = transcode(parse_label_chunk(write_by_hand(voxels, EIGHT, (width, 0), gap=1), CUBE, EIGHT, 8))
    assert data is not None
    assert (read_labels_block(data) == voxels).all()
    assert len(data) == len(encode_block(voxels))


def test_a_part_of_a_larger_chunk() -> None:
    size = Point(96, 80, 72)
    voxels = draw_cells(60, size)
    chunk = parse_label_chunk(write_with_tensorstore(voxels), size, EIGHT, 8).crop(Point(16, 8, 8), CUBE)
    data = transcode(chunk)
    assert data is not None
    assert (read_labels_block(data) == voxels[8:, 8:, 16:][:64, :64, :64]).all()


def unsorted_tables(voxels: Voxels) -> bytes:
    """Return a chunk of two labels whose tables are in descending order."""
    words = np.frombuffer(write_by_hand(voxels, EIGHT, share_all=True), "<u4").copy()
    headers = words[1:1025].reshape(512, 2)
    table = 1 + int(headers[0, 0] & 0xFFFFFF)
    words[table : table + 4] = words[table : table + 4].reshape(2, 2)[::-1].reshape(-1)
    return words.tobytes()


def test_tables_need_no_order() -> None:
    voxels = np.where(np.indices(CUBE).sum(0) % 2, np.uint64(2**63 + 7), np.uint64(3))
    data = transcode(parse_label_chunk(unsorted_tables(voxels), CUBE, EIGHT, 8))
    assert data is not None
    assert (read_labels_block(data) == np.where(voxels == 3, np.uint64(2**63 + 7), np.uint64(3))).all()


def same_label_twice() -> bytes:
    """Return a chunk whose only table names one label twice."""
    voxels = np.indices(CUBE).sum(0).astype(np.uint64) % 2
    words = np.frombuffer(write_by_hand(voxels, EIGHT, share_all=True), "<u4").copy()
    table = 1 + int(words[1] & 0xFFFFFF)
    words[table : table + 4] = [7, 0, 7, 0]
    return words.tobytes()


@pytest.mark.parametrize("width", [0, 8, 16])
def test_a_table_with_an_unused_label_leaves_the_fast_path(width: int) -> None:
    voxels = draw_cells(5)
    chunk = parse_label_chunk(write_by_hand(voxels, EIGHT, (width,), share_all=True), CUBE, EIGHT, 8)
    assert transcode(chunk) is None
    assert encode_chunk(chunk) == encode_block(voxels)


def test_a_table_that_names_a_label_twice_leaves_the_fast_path() -> None:
    chunk = parse_label_chunk(same_label_twice(), CUBE, EIGHT, 8)
    assert transcode(chunk) is None
    assert encode_chunk(chunk) == encode_block(np.full(CUBE, 7, np.uint64))


def test_more_indexes_than_voxels_leave_the_fast_path() -> None:
    voxels = np.arange(64**3, dtype=np.uint64).reshape(CUBE) % 600
    chunk = parse_label_chunk(write_by_hand(voxels, EIGHT, share_all=True), CUBE, EIGHT, 8)
    assert transcode(chunk) is None
    assert (read_labels_block(encode_chunk(chunk)) == voxels).all()


@pytest.mark.parametrize("sub_block", [Point(16, 16, 2), Point(16, 16, 16), Point(4, 4, 4)])
def test_other_sub_blocks_leave_the_fast_path(sub_block: Point) -> None:
    voxels = draw_cells(30)
    chunk = parse_label_chunk(write_with_tensorstore(voxels, sub_block), CUBE, sub_block, 8)
    assert transcode(chunk) is None
    assert encode_chunk(chunk) == encode_block(voxels)


def test_a_clipped_chunk_is_no_block() -> None:
    voxels = draw_cells(30, Point(64, 64, 60))
    chunk = parse_label_chunk(write_with_tensorstore(voxels), Point(64, 64, 60), EIGHT, 8)
    assert transcode(chunk) is None
    with pytest.raises(ValueError, match="multiples of 8"):
        encode_chunk(chunk)


def test_blocks_of_other_extents() -> None:
    size = Point(64, 16, 32)
    voxels = draw_cells(30, size)
    data = transcode(parse_label_chunk(write_with_library(voxels), size, EIGHT, 8))
    assert data is not None
    assert (read_labels_block(data) == voxels).all()
