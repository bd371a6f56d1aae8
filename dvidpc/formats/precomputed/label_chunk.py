"""A checked view of a compressed_segmentation chunk: no later read of a voxel leaves the chunk.

A channel starts with two words for each sub-block: where its table of labels starts (24 bits) with the width
of its indexes (8 bits), and where its packed indexes start. Offsets count words of 32 bits from the channel's
start. Sub-blocks may share tables. Sub-blocks at the upper faces are padded to full size.
(neuroglancer sliceview/compressed_segmentation/README.md)
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.label_indexes import WIDTHS, Indexes, Words, packed_length, unpack_indexes
from dvidpc.types import Point

Offsets = NDArray[np.intp]
Labels = NDArray[np.unsignedinteger[Any]]

_WORD = 4
_VALID_WIDTH = np.isin(np.arange(256), WIDTHS)


@dataclass(frozen=True, slots=True, eq=False)
class LabelChunk:
    """One channel of a compressed_segmentation chunk, checked.

    *tables*, *widths* and *values* have one element per sub-block, x fastest.
    """

    size: Point
    """Voxels of the chunk."""
    sub_block: Point
    """Voxels of a sub-block."""
    grid: Point
    """Sub-blocks along x, y and z."""
    itemsize: int
    """Bytes of a label: 4 or 8."""
    words: Words
    """The words from the channel's start to the end of the chunk."""
    tables: Offsets
    """Where in *words* each table starts."""
    widths: Offsets
    """Bits of an index; one of `WIDTHS`."""
    values: Offsets
    """Where in *words* the packed indexes start; meaningless if the width is 0."""

    @property
    def step(self) -> int:
        """Words of a label."""
        return self.itemsize // _WORD

    @property
    def sub_block_voxels(self) -> int:
        """Voxels of a sub-block."""
        return math.prod(self.sub_block)

    @property
    def nbytes(self) -> int:
        """Memory that the view keeps, in bytes."""
        return self.words.nbytes + self.tables.nbytes + self.widths.nbytes + self.values.nbytes

    def by_width(self, among: Offsets | None = None) -> Iterator[tuple[int, Offsets]]:
        """Yield each width in use with the numbers of its sub-blocks, *among* some or all."""
        widths = self.widths if among is None else self.widths[among]
        for width in WIDTHS:
            numbers = np.flatnonzero(widths == width)
            if len(numbers):
                yield width, numbers if among is None else among[numbers]

    def packed(self, numbers: Offsets, width: int) -> Words:
        """Return the packed indexes `[sub-block, word]` of sub-blocks *numbers*, which have this *width*."""
        within = np.arange(packed_length(self.sub_block_voxels, width))
        return self.words.take(self.values[numbers, None] + within)

    def indexes(self, numbers: Offsets, width: int) -> Indexes:
        """Return the indexes `[sub-block, voxel]` of sub-blocks *numbers*, which have this *width*."""
        return unpack_indexes(self.packed(numbers, width), width, self.sub_block_voxels)

    def labels_at(self, positions: Offsets) -> Labels:
        """Return the labels that start at *positions* of *words*; these must be entries of tables."""
        if self.step == 1:
            return self.words.take(positions)
        return self._pairs.take(positions)

    def positions_of(self, label: int, parity: int) -> Offsets:
        """Return where in *words* a label starts, or would start, ascending.

        Args:
            label: The label.
            parity: The remainder of the positions by `step`.
        """
        if label >= 1 << 8 * self.itemsize:
            return np.zeros(0, np.intp)
        found = self.words if self.step == 1 else self._pairs[parity :: self.step]
        return np.flatnonzero(found == found.dtype.type(label)) * self.step + parity

    def has_corner(self, corner: Point) -> bool:
        """Return whether a sub-block starts at voxel *corner*."""
        return not any(at % side for at, side in zip(corner, self.sub_block, strict=True))

    def crop(self, corner: Point, size: Point) -> "LabelChunk":
        """Return the part of *size* voxels that starts at voxel *corner*; nothing is copied or decoded.

        Raises:
            ValueError: The part does not start at a sub-block, or does not lie in the chunk.
        """
        first = Point(*(at // b for at, b in zip(corner, self.sub_block, strict=True)))
        grid = Point(*(-(-n // b) for n, b in zip(size, self.sub_block, strict=True)))
        fits = all(at >= 0 and 0 < n <= m - at for at, n, m in zip(corner, size, self.size, strict=True))
        if not (fits and self.has_corner(corner)):
            raise ValueError(
                f"no part of {tuple(size)} voxels at {tuple(corner)} in {tuple(self.size)} voxels"
            )
        numbers = np.arange(len(self.tables)).reshape(self.grid[::-1])
        (x, y, z), (to_x, to_y, to_z) = first, (f + n for f, n in zip(first, grid, strict=True))
        some = numbers[z:to_z, y:to_y, x:to_x].reshape(-1)
        tables, widths, values = self.tables[some], self.widths[some], self.values[some]
        return replace(self, size=size, grid=grid, tables=tables, widths=widths, values=values)

    @property
    def _pairs(self) -> Labels:
        """Every two neighbouring words as one label; labels of 64 bits start at any word."""
        return np.ndarray(len(self.words) - 1, "<u8", self.words.data, strides=(_WORD,))


def parse_label_chunk(data: bytes, size: Point, sub_block: Point, itemsize: int) -> LabelChunk:
    """Return the checked view of a chunk of one channel; `parse_label_channels` describes the arguments.

    Raises:
        FormatError: *data* is truncated, or reading a voxel would leave it.
    """
    (chunk,) = parse_label_channels(data, size, sub_block, itemsize, 1)
    return chunk


def parse_label_channels(
    data: bytes, size: Point, sub_block: Point, itemsize: int, num_channels: int
) -> list[LabelChunk]:
    """Return the checked view of each channel of a chunk; they share memory with *data*.

    Args:
        data: The chunk.
        size: Its voxels, clipped at the volume's upper end.
        sub_block: The scale's `compressed_segmentation_block_size`.
        itemsize: Bytes of a label: 4 or 8.
        num_channels: Number of channels.

    Raises:
        FormatError: *data* is truncated, or reading a voxel would leave it.
    """
    if len(data) % _WORD or len(data) < _WORD * num_channels:
        raise FormatError(f"truncated compressed_segmentation chunk: {len(data)} bytes")
    words = np.frombuffer(data, "<u4")
    starts = [int(start) for start in words[:num_channels]]
    if num_channels == 1 and starts != [1]:
        raise FormatError(
            f"malformed compressed_segmentation chunk: channel starts at word {starts[0]}, not 1"
        )
    return [_parse_channel(words[start:], size, sub_block, itemsize) for start in starts]


def _parse_channel(words: Words, size: Point, sub_block: Point, itemsize: int) -> LabelChunk:
    grid = Point(*(-(-n // b) for n, b in zip(size, sub_block, strict=True)))
    count = math.prod(grid)
    if len(words) < 2 * count:
        raise FormatError("truncated compressed_segmentation chunk: block headers are incomplete")
    headers = words[: 2 * count].astype(np.intp)
    tables, widths, values = headers[::2] & 0xFFFFFF, headers[::2] >> 24, headers[1::2]
    chunk = LabelChunk(size, sub_block, grid, itemsize, words, tables, widths, values)
    _check_values(chunk)
    _check_tables(chunk)
    return chunk


def _check_values(chunk: LabelChunk) -> None:
    """Check that the packed indexes of every sub-block lie in the chunk."""
    if not _VALID_WIDTH[chunk.widths].all():
        raise FormatError("malformed compressed_segmentation chunk: a block has an invalid bit width")
    lengths = -(-chunk.widths * chunk.sub_block_voxels // 32)
    if ((chunk.values + lengths > len(chunk.words)) & (chunk.widths > 0)).any():
        raise FormatError("malformed compressed_segmentation chunk: a block's values lie past the end")


def _check_tables(chunk: LabelChunk) -> None:
    """Check that every index that a voxel uses has an entry in its table.

    A table has no stored length. One with room for every index of its width passes at once. For the others,
    mostly the last ones of a chunk, the largest index decides. Padding may hold any index.
    """
    room = (len(chunk.words) - chunk.tables) // chunk.step
    doubtful = room < 1 << chunk.widths
    if not doubtful.any():
        return
    for width, numbers in chunk.by_width(np.flatnonzero(doubtful)):
        largest = _largest_indexes(chunk, numbers, width) if width else np.zeros(len(numbers), np.intp)
        if (largest >= room[numbers]).any():
            raise FormatError("malformed compressed_segmentation chunk: a lookup table lies past the end")


def _largest_indexes(chunk: LabelChunk, numbers: Offsets, width: int) -> Offsets:
    """Return the largest index in each of some sub-blocks, without padding."""
    indexes = chunk.indexes(numbers, width)
    in_chunk = voxels_in_chunk(chunk, numbers)
    if in_chunk is not None:
        indexes = np.where(in_chunk, indexes, 0)
    largest: Offsets = indexes.max(axis=1).astype(np.intp)
    return largest


def voxels_in_chunk(chunk: LabelChunk, numbers: Offsets) -> NDArray[np.bool_] | None:
    """Return which voxels `[sub-block, voxel]` are not padding; None if the chunk has no padding."""
    if all(n % b == 0 for n, b in zip(chunk.size, chunk.sub_block, strict=True)):
        return None
    z, rest = np.divmod(numbers, chunk.grid.x * chunk.grid.y)
    y, x = np.divmod(rest, chunk.grid.x)
    along_z, along_y, along_x = (
        np.arange(b) < (n - b * at)[:, None]
        for n, b, at in zip(reversed(chunk.size), reversed(chunk.sub_block), (z, y, x), strict=True)
    )
    inside = along_z[:, :, None, None] & along_y[:, None, :, None] & along_x[:, None, None, :]
    return inside.reshape(len(numbers), -1)
