"""The table of a label index: the voxels, blocks and extent of every label, ascending by label.

A part is its rows, 48 bytes each, followed by its directory: for each page of rows its first label and the
CRC-32 of its bytes. Everything is little-endian.
"""

import zlib
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import FormatError
from dvidpc.formats.dvid.label_index import unpack_blocks
from dvidpc.index.layout import TABLE_PAGE_ROWS
from dvidpc.types import ByteRange

LABEL_ROW: Final = np.dtype(
    [
        ("label", "<u8"),
        ("voxels", "<u8"),
        ("blocks", "<u8"),
        ("min_block", "<i4", 3),
        ("max_block", "<i4", 3),
    ]
)
"""A label with its voxels, its blocks, and the least and the greatest block coordinate along x, y and z."""

PAGE: Final = np.dtype([("first", "<u8"), ("crc32", "<u4")])
"""The directory's entry of a page of rows."""

Rows = NDArray[np.void]
"""An array of `LABEL_ROW`, or of `PAGE`."""


class TablePart(NamedTuple):
    """What the `info` of an index says of one part of the table."""

    rows: int
    first: int
    """Its first label."""
    last: int
    crc32: int
    """Of its directory."""

    @property
    def pages(self) -> int:
        """How many pages its rows make."""
        return -(-self.rows // TABLE_PAGE_ROWS)

    @property
    def directory(self) -> ByteRange:
        """Where its directory lies."""
        start = self.rows * LABEL_ROW.itemsize
        return ByteRange(start, start + self.pages * PAGE.itemsize)

    def page(self, number: int) -> ByteRange:
        """Return where a page of rows lies."""
        start = number * TABLE_PAGE_ROWS
        stop = min(start + TABLE_PAGE_ROWS, self.rows)
        return ByteRange(start * LABEL_ROW.itemsize, stop * LABEL_ROW.itemsize)


def rows_of(labels: NDArray[np.uint64], blocks: NDArray[np.uint64], voxels: NDArray[Any]) -> Rows:
    """Return the row of each label; the arguments are those of `encode_label_indexes`."""
    if not len(labels):
        return np.zeros(0, LABEL_ROW)
    firsts = np.flatnonzero(np.append(True, labels[1:] != labels[:-1]))
    xyz = unpack_blocks(blocks)
    rows = np.empty(len(firsts), LABEL_ROW)
    rows["label"] = labels[firsts]
    rows["voxels"] = np.add.reduceat(voxels.astype(np.uint64), firsts)
    rows["blocks"] = np.diff(firsts, append=len(labels))
    rows["min_block"] = np.minimum.reduceat(xyz, firsts)
    rows["max_block"] = np.maximum.reduceat(xyz, firsts)
    return rows


def encode_table_part(rows: Rows) -> tuple[bytes, TablePart]:
    """Return the bytes of a part with these rows, at least one, ascending by label; and what describes it."""
    data = rows.astype(LABEL_ROW, copy=False).tobytes()
    size = TABLE_PAGE_ROWS * LABEL_ROW.itemsize
    directory = np.empty(-(-len(rows) // TABLE_PAGE_ROWS), PAGE)
    directory["first"] = rows["label"][::TABLE_PAGE_ROWS]
    directory["crc32"] = [zlib.crc32(data[at : at + size]) for at in range(0, len(data), size)]
    tail = directory.tobytes()
    part = TablePart(len(rows), int(rows["label"][0]), int(rows["label"][-1]), zlib.crc32(tail))
    return data + tail, part


def decode_directory(data: bytes, part: TablePart) -> Rows:
    """Return the directory of a part, an array of `PAGE`.

    Raises:
        FormatError: It is damaged.
    """
    if len(data) != part.directory.size or zlib.crc32(data) != part.crc32:
        raise FormatError("the directory does not match its checksum")
    return np.frombuffer(data, PAGE)


def decode_page(data: bytes, crc32: int) -> Rows:
    """Return the rows of a page.

    Raises:
        FormatError: They are damaged, or not ascending.
    """
    if zlib.crc32(data) != crc32:
        raise FormatError("a page of rows does not match its checksum")
    rows = np.frombuffer(data, LABEL_ROW)
    labels = rows["label"]
    if (labels[1:] <= labels[:-1]).any():
        raise FormatError("the labels of a page are not ascending")
    return rows
