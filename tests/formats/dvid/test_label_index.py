"""DVID's `LabelIndex` messages, read and written by Google's protobuf and recorded from DVID."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dvidpc.errors import FormatError
from dvidpc.formats.dvid.label_index import (
    MAX_BLOCK_SIZE,
    decode_label_index,
    encode_in_list,
    encode_label_indexes,
    halve_blocks,
    merge_entries,
    pack_blocks,
    unpack_blocks,
)
from tests import recorded_labels
from tests.label_messages import read_label_index, read_label_indices

LABELS = st.one_of(st.integers(1, 300), st.integers(1, 2**64 - 1))
AXIS = st.one_of(st.integers(-3, 3), st.integers(-(2**20) + 1, 2**20 - 1))
ENTRIES = st.dictionaries(
    st.tuples(LABELS, st.tuples(AXIS, AXIS, AXIS)), st.integers(1, 64**3), min_size=1, max_size=40
)
Entries = Mapping[tuple[int, tuple[int, int, int]], int]


def arrays_of(entries: Entries) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64]]:
    labels = np.array([label for label, _ in entries], np.uint64)
    xyz = np.array([block for _, block in entries], np.int64).reshape(-1, 3)
    return labels, pack_blocks(xyz), np.array(list(entries.values()), np.int64)


def number_of(block: tuple[int, int, int]) -> int:
    """Return DVID's number of a block, bit by bit."""
    x, y, z = (abs(at) | (2**20 if at < 0 else 0) for at in block)
    return x + (y << 21) + (z << 42)


@given(ENTRIES)
def test_protobuf_reads_what_we_write(entries: Entries) -> None:
    encoded = encode_label_indexes(*merge_entries(*arrays_of(entries)))
    assert encoded.labels.tolist() == sorted({label for label, _ in entries})
    for label, message in zip(encoded.labels.tolist(), encoded.messages(), strict=True):
        read = read_label_index(bytes(message))
        assert read.label == label
        found = {number: dict(counts.counts) for number, counts in read.blocks.items()}
        assert found == {number_of(b): {label: n} for (of, b), n in entries.items() if of == label}
        assert len(message) <= MAX_BLOCK_SIZE * len(found) + 11


@given(ENTRIES)
def test_what_is_written_is_read_again_sorted_by_z_y_and_x(entries: Entries) -> None:
    encoded = encode_label_indexes(*merge_entries(*arrays_of(entries)))
    for label, message in zip(encoded.labels.tolist(), encoded.messages(), strict=True):
        blocks = decode_label_index(bytes(message), label)
        expected = sorted((b[::-1], n) for (of, b), n in entries.items() if of == label)
        assert blocks.xyz[:, ::-1].tolist() == [list(zyx) for zyx, _ in expected]
        assert blocks.voxels.tolist() == [n for _, n in expected]


@pytest.mark.parametrize("answer", recorded_labels.index_answers())
def test_messages_of_dvid_hold_the_same_in_another_order(answer: recorded_labels.Answer) -> None:
    if answer.status != 200 or not answer.path.startswith("index/") or "metadata" in answer.path:
        return
    label = int(answer.path.removeprefix("index/"))
    theirs = read_label_index(answer.body)
    numbers = np.array(list(theirs.blocks), np.uint64)
    counts = np.array([theirs.blocks[int(n)].counts[label] for n in numbers], np.int64)
    ours = encode_label_indexes(*merge_entries(np.full(len(numbers), label, np.uint64), numbers, counts))
    assert len(ours.data) == len(answer.body)
    assert read_label_index(ours.data) == theirs


def test_messages_make_a_list() -> None:
    message = encode_label_indexes(*merge_entries(*arrays_of({(300, (1, 2, 3)): 5}))).data
    read = read_label_indices(encode_in_list(300, message) + encode_in_list(2**64 - 1, None))
    assert [one.label for one in read] == [300, 2**64 - 1]
    assert read[0] == read_label_index(message)
    assert not read[1].blocks


@given(st.lists(st.tuples(AXIS, AXIS, AXIS)))
def test_blocks_have_dvids_numbers(blocks: list[tuple[int, int, int]]) -> None:
    packed = pack_blocks(np.array(blocks, np.int64).reshape(-1, 3))
    assert packed.tolist() == [number_of(block) for block in blocks]
    assert unpack_blocks(packed).tolist() == [list(block) for block in blocks]


def test_a_block_that_needs_more_than_20_bits_is_refused() -> None:
    with pytest.raises(FormatError, match="more than 20 bits"):
        pack_blocks(np.array([[0, 0, 2**20]]))


def test_parts_of_a_block_are_added_up() -> None:
    labels = np.array([7, 5, 7, 5], np.uint64)
    blocks = pack_blocks(np.array([[0, 0, 0], [0, -1, 0], [0, 0, 0], [0, 0, 0]]))
    merged = merge_entries(labels, blocks, np.array([1, 2, 3, 4]))
    assert [one.tolist() for one in merged] == [[5, 5, 7], [blocks[1], 0, 0], [2, 4, 4]]


def test_nothing_is_encoded_as_nothing() -> None:
    nothing = np.zeros(0, np.uint64)
    encoded = encode_label_indexes(*merge_entries(nothing, nothing, nothing))
    assert (encoded.data, encoded.messages()) == (b"", [])


MESSAGE = encode_label_indexes(
    *merge_entries(*arrays_of({(300, (1, -2, 3)): 5, (300, (9, 9, 9)): 70_000}))
).data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        MESSAGE[:-1],
        MESSAGE + b"\0",
        MESSAGE + MESSAGE,
        MESSAGE[1:],
        b"\x0a\xff" * 9,
        b"\x10\xac\x02\x18\x05",
    ],
    ids=["empty", "cut", "longer", "twice", "shifted", "lengths", "mutated"],
)
def test_malformed_messages_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        decode_label_index(data, 300)


def test_the_message_of_another_label_is_refused() -> None:
    with pytest.raises(FormatError):
        decode_label_index(MESSAGE, 301)


@given(st.integers(0, len(MESSAGE) - 1), st.integers(0, 255))
def test_a_damaged_message_is_refused_or_means_what_protobuf_reads(at: int, byte: int) -> None:
    data = MESSAGE[:at] + bytes([byte]) + MESSAGE[at + 1 :]
    try:
        blocks = decode_label_index(data, 300)
    except FormatError:
        return
    read = read_label_index(data)
    packed = pack_blocks(blocks.xyz).tolist()
    found = {n: dict(counts.counts) for n, counts in read.blocks.items()}
    assert found == {n: {300: voxels} for n, voxels in zip(packed, blocks.voxels.tolist(), strict=True)}


@given(st.lists(st.tuples(AXIS, AXIS, AXIS), min_size=1), st.integers(0, 5))
def test_coarser_blocks_lie_over_finer_ones(blocks: list[tuple[int, int, int]], times: int) -> None:
    finer = sorted(set(blocks), key=lambda block: block[::-1])
    found = halve_blocks(np.array(finer, np.int32), times).tolist()
    expected = {tuple(at // 2**times for at in block) for block in blocks}
    assert [tuple(block) for block in found] == sorted(expected, key=lambda block: block[::-1])
