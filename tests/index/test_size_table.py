"""The table of sizes: its rows are those that numpy counts, and damage is found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.errors import FormatError
from dvidpc.formats.dvid.label_index import merge_entries, pack_blocks
from dvidpc.index.layout import TABLE_PAGE_ROWS
from dvidpc.index.size_table import (
    LABEL_ROW,
    TablePart,
    decode_directory,
    decode_page,
    encode_table_part,
    rows_of,
)

AXIS = st.integers(-9, 9)


@given(
    st.dictionaries(
        st.tuples(st.integers(1, 2**64 - 1), st.tuples(AXIS, AXIS, AXIS)), st.integers(1, 2**18), min_size=1
    )
)
def test_a_row_sums_up_the_blocks_of_its_label(entries: dict[tuple[int, tuple[int, int, int]], int]) -> None:
    labels = np.array([label for label, _ in entries], np.uint64)
    blocks = pack_blocks(np.array([block for _, block in entries]))
    rows = rows_of(*merge_entries(labels, blocks, np.array(list(entries.values()))))
    assert rows["label"].tolist() == sorted({label for label, _ in entries})
    for row in rows:
        mine = {block: n for (label, block), n in entries.items() if label == row["label"]}
        assert (int(row["voxels"]), int(row["blocks"])) == (sum(mine.values()), len(mine))
        assert row["min_block"].tolist() == [min(axis) for axis in zip(*mine, strict=True)]
        assert row["max_block"].tolist() == [max(axis) for axis in zip(*mine, strict=True)]


def test_nothing_has_no_rows() -> None:
    nothing = np.zeros(0, np.uint64)
    assert len(rows_of(nothing, nothing, nothing)) == 0


def make_rows(count: int) -> np.ndarray:
    rows = np.zeros(count, LABEL_ROW)
    rows["label"] = 7 * np.arange(1, count + 1)
    rows["voxels"] = np.arange(count)
    return rows


@pytest.mark.parametrize("count", [1, TABLE_PAGE_ROWS - 1, TABLE_PAGE_ROWS, TABLE_PAGE_ROWS + 1, 5000])
def test_a_part_is_read_again_page_by_page(count: int) -> None:
    rows = make_rows(count)
    data, part = encode_table_part(rows)
    assert (part.rows, part.first, part.last) == (count, 7, 7 * count)
    assert part.directory.stop == len(data)
    directory = decode_directory(data[slice(*part.directory)], part)
    pages = [decode_page(data[slice(*part.page(n))], int(directory["crc32"][n])) for n in range(part.pages)]
    assert np.array_equal(np.concatenate(pages), rows)
    assert directory["first"].tolist() == [int(page["label"][0]) for page in pages]
    assert data[:8] == (7).to_bytes(8, "little")


def read_part(data: bytes, part: TablePart) -> None:
    directory = decode_directory(data[slice(*part.directory)], part)
    decode_page(data[slice(*part.page(0))], int(directory["crc32"][0]))


def test_a_changed_byte_is_found() -> None:
    data, part = encode_table_part(make_rows(3))
    read_part(data, part)
    for at in range(len(data)):
        damaged = bytearray(data)
        damaged[at] ^= 1
        with pytest.raises(FormatError):
            read_part(bytes(damaged), part)


def test_rows_out_of_order_are_refused() -> None:
    data, part = encode_table_part(make_rows(3)[[0, 2, 1]])
    with pytest.raises(FormatError, match="not ascending"):
        read_part(data, part)
