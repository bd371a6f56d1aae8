"""Checked views of compressed_segmentation chunks, compared with a reader that follows the specification."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.label_chunk import LabelChunk, parse_label_channels, parse_label_chunk
from dvidpc.formats.precomputed.label_lookup import label_at, labels_of
from dvidpc.formats.precomputed.label_voxels import count_labels, decode_voxels
from dvidpc.types import Point
from tests.label_chunks import (
    CUBE,
    EIGHT,
    draw_cells,
    read_by_the_book,
    write_by_hand,
    write_with_library,
    write_with_tensorstore,
)

SIZE = Point(11, 6, 5)
SUB_BLOCK = Point(4, 4, 2)
VOXELS = draw_cells(9, SIZE)
SEEDS = [
    write_with_library(VOXELS, SUB_BLOCK),
    write_with_tensorstore(VOXELS, SUB_BLOCK),
    write_by_hand(VOXELS, SUB_BLOCK, (1, 2, 4, 8, 16, 32), padding=200),
    write_by_hand(VOXELS, SUB_BLOCK, share_all=True, gap=1),
]


def read_every_way(data: bytes, size: Point, sub_block: Point, itemsize: int) -> list[int] | None:
    """Return the labels as each of our readers sees them, which must be the same; None if refused."""
    try:
        chunk = parse_label_chunk(data, size, sub_block, itemsize)
    except FormatError:
        return None
    decoded = decode_voxels(chunk)
    assert decoded.shape == size[::-1]
    grid = np.argwhere(np.ones(size[::-1], np.bool_))[:, ::-1]
    assert (labels_of(chunk, grid) == decoded.reshape(-1)).all()
    counts = count_labels(chunk)
    assert dict(zip(*map(list, np.unique(decoded, return_counts=True)), strict=True)) == dict(
        zip(*map(list, counts), strict=True)
    )
    last = Point(*(n - 1 for n in size))
    assert label_at(chunk, last) == decoded[-1, -1, -1]
    labels: list[int] = decoded.reshape(-1).tolist()
    return labels


def mutate(data: bytes, drawn: random.Random) -> bytes:
    """Return *data* with bytes or words of the headers changed, and sometimes cut short."""
    changed = bytearray(data)
    for _ in range(drawn.choice([1, 1, 2, 5])):
        changed[drawn.randrange(len(changed))] = drawn.randrange(256)
    if drawn.randrange(2):
        offset = drawn.choice([len(changed) // 4 - drawn.randrange(9), drawn.getrandbits(24), 0])
        width = drawn.choice([0, 1, 2, 3, 4, 8, 16, 32])
        at = 4 * drawn.randrange(1, 37)
        changed[at : at + 4] = (offset | width << 24).to_bytes(4, "little")
    return bytes(changed if drawn.randrange(10) else changed[: drawn.randrange(len(changed))])


def test_ten_thousand_mutants_are_refused_or_read_to_the_letter() -> None:
    drawn = random.Random(12)
    outcomes = {True: 0, False: 0}
    for _ in range(10_000):
        data = mutate(drawn.choice(SEEDS), drawn)
        expected = read_by_the_book(data, SIZE, SUB_BLOCK, 8)
        assert read_every_way(data, SIZE, SUB_BLOCK, 8) == expected
        outcomes[expected is None] += 1
    assert min(outcomes.values()) > 1_000


@st.composite
def chunks(draw: st.DrawFn) -> tuple[bytes, Point, Point, int]:
    """A chunk of any extent, block size, type and writer, perhaps with some of its bytes replaced."""
    size = Point(*(draw(st.integers(1, 13)) for _ in range(3)))
    sub_block = Point(*(draw(st.integers(1, 9)) for _ in range(3)))
    dtype = draw(st.sampled_from(["uint32", "uint64"]))
    voxels = draw_cells(draw(st.integers(1, 30)), size, dtype, draw(st.integers(0, 99)))
    widths = draw(st.lists(st.sampled_from([0, 1, 2, 4, 8, 16, 32]), max_size=4))
    shared = draw(st.booleans())
    data = bytearray(
        write_by_hand(voxels, sub_block, widths, padding=draw(st.integers(0, 2**32)), share_all=shared)
    )
    for _ in range(draw(st.sampled_from([0, 0, 1, 3]))):
        at = draw(st.integers(0, len(data) - 1))
        data[at] = draw(st.integers(0, 255))
    return bytes(data), size, sub_block, voxels.itemsize


@settings(max_examples=400, deadline=None)
@given(chunks())
def test_any_chunk_is_refused_or_read_to_the_letter(chunk: tuple[bytes, Point, Point, int]) -> None:
    assert read_every_way(*chunk) == read_by_the_book(*chunk)


@pytest.mark.parametrize(
    "data", [b"", b"\x01\0\0\0", b"<?xml version='1.0'?><Error><Code>SlowDown</Code>.", b"\xff" * 400]
)
def test_what_is_no_chunk_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="compressed_segmentation chunk"):
        parse_label_chunk(data, CUBE, EIGHT, 8)


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 8])
def test_a_chunk_cut_short_is_refused(cut: int) -> None:
    data = write_with_library(draw_cells(20))[:-cut]
    with pytest.raises(FormatError):
        parse_label_chunk(data, CUBE, EIGHT, 8)


def test_a_chunk_whose_channel_does_not_start_at_word_1_is_refused() -> None:
    data = write_with_library(draw_cells(3))
    with pytest.raises(FormatError, match="starts at word 2, not 1"):
        parse_label_chunk(b"\x02\0\0\0" + data, CUBE, EIGHT, 8)


def test_a_huge_block_size_takes_no_memory() -> None:
    data = write_by_hand(np.full((2, 2, 2), 7, np.uint64), Point(2, 2, 2))
    chunk = parse_label_chunk(data, Point(2, 2, 2), Point(2**20, 2**20, 2**20), 8)
    assert decode_voxels(chunk).tolist() == [[[7, 7], [7, 7]], [[7, 7], [7, 7]]]


def test_a_table_past_the_end_is_refused_even_without_indexes() -> None:
    words = np.frombuffer(write_by_hand(np.full((2, 2, 2), 7, np.uint64), Point(2, 2, 2)), "<u4").copy()
    words[1] += 1
    with pytest.raises(FormatError, match="a lookup table lies past the end"):
        parse_label_chunk(words.tobytes(), Point(2, 2, 2), Point(2, 2, 2), 8)


def test_each_channel_has_its_own_offsets() -> None:
    first, second = (write_with_library(draw_cells(n)) for n in (5, 9))
    data = np.array([2, 1 + len(first) // 4], "<u4").tobytes() + first[4:] + second[4:]
    channels = parse_label_channels(data, CUBE, EIGHT, 8, 2)
    assert [(decode_voxels(one) == draw_cells(n)).all() for one, n in zip(channels, (5, 9), strict=True)]


def test_a_view_is_little_larger_than_its_chunk() -> None:
    data = write_with_library(draw_cells(100))
    assert len(data) <= parse_label_chunk(data, CUBE, EIGHT, 8).nbytes < len(data) + 16_000


def cropped(chunk: LabelChunk, corner: tuple[int, int, int], size: tuple[int, int, int]) -> LabelChunk:
    return chunk.crop(Point(*corner), Point(*size))


def test_a_part_of_a_chunk_decodes_alone() -> None:
    size = Point(70, 41, 33)
    voxels = draw_cells(40, size)
    chunk = parse_label_chunk(write_with_library(voxels), size, EIGHT, 8)
    assert (decode_voxels(cropped(chunk, (16, 8, 24), (54, 20, 9))) == voxels[24:33, 8:28, 16:70]).all()


@pytest.mark.parametrize(
    ("corner", "size"),
    [((1, 0, 0), (8, 8, 8)), ((8, 0, 0), (64, 8, 8)), ((-8, 0, 0), (8, 8, 8)), ((0, 0, 0), (0, 8, 8))],
)
def test_a_part_outside_the_chunk_or_between_sub_blocks_is_an_error(
    corner: tuple[int, int, int], size: tuple[int, int, int]
) -> None:
    chunk = parse_label_chunk(write_with_library(draw_cells(3)), CUBE, EIGHT, 8)
    with pytest.raises(ValueError, match="no part of"):
        cropped(chunk, corner, size)
