"""DVID's labels.Block: how DVID stores and sends a block of labels.

All numbers are little-endian. A block holds, in this order:

* the number of sub-blocks (8^3 voxels) along x, y and z, and the number of labels: uint32
* the labels: uint64; a block of one label ends here
* for each sub-block, x fastest, how many labels it has: uint16
* for each sub-block, the places of its labels in the block's list: uint32
* for each sub-block of several labels, the index of each voxel's label among them: as few bits as possible,
  highest bit first

(datatype/common/labels/compressed.go:541-573, 3400c2cb)
"""

import math
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import FormatError
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.dvid.index_bits import ValueRows, bits_for, pack_high_first, unpack_high_first
from dvidpc.formats.dvid.sub_blocks import NUM_VOXELS, SIDE, split_sub_blocks
from dvidpc.types import Point

Labels = NDArray[np.unsignedinteger[Any]]

_HEADER = struct.Struct("<4I")
_OCTETS_PER_BIT = NUM_VOXELS // 8
_MAX_LABELS = NUM_VOXELS
_CUBE = Point(8, 8, 8)
"""The sub-blocks of a block of 64^3 voxels."""


def encode_block(voxels_zyx: Voxels) -> bytes:
    """Return a block of unsigned integers as labels.Block; the sides must be multiples of 8."""
    if any(n % SIDE for n in voxels_zyx.shape):
        raise ValueError(f"the sides of a labels.Block are multiples of {SIDE}, not {voxels_zyx.shape}")
    split = split_sub_blocks(voxels_zyx)
    values = value_rows(split.counts)
    for bits, numbers in values.by_bits():
        values.put(numbers, bits, pack_high_first(split.indexes[numbers], bits))
    return join_block(split.grid, split.counts, split.labels, values)


def value_rows(counts: NDArray[np.intp]) -> ValueRows:
    """Return rows to fill with the packed indexes of sub-blocks that have *counts* labels."""
    return ValueRows(bits_for(counts), _OCTETS_PER_BIT)


def join_block(grid: Point, counts: NDArray[np.intp], tables: Labels, values: ValueRows) -> bytes:
    """Return a labels.Block.

    Args:
        grid: Sub-blocks along x, y and z.
        counts: How many labels each sub-block has.
        tables: The labels of all sub-blocks, one after the other; no sub-block names one twice.
        values: The packed indexes of all sub-blocks.
    """
    labels, places = np.unique(tables, return_inverse=True)
    head = _HEADER.pack(*grid, len(labels)) + labels.astype("<u8").tobytes()
    if len(labels) == 1:
        return head
    return b"".join((head, counts.astype("<u2").tobytes(), places.astype("<u4").tobytes(), values.tobytes()))


def decode_block(data: bytes, grid: Point = _CUBE) -> NDArray[np.uint64]:
    """Return the voxels `[z, y, x]` of a labels.Block.

    Args:
        data: The labels.Block.
        grid: The expected numbers of sub-blocks along x, y and z.

    Raises:
        FormatError: *data* is malformed or has another extent.
    """
    reader = _Reader(data)
    *found, num_labels = (int(number) for number in reader.take("<u4", 4))
    if tuple(found) != grid:
        raise FormatError(f"labels.Block has {tuple(found)} sub-blocks, not {tuple(grid)}")
    if num_labels == 0:
        raise FormatError("malformed labels.Block: it has no labels")
    labels = reader.take("<u8", num_labels)
    if num_labels == 1:
        reader.finish()
        return np.full([SIDE * n for n in reversed(grid)], labels[0], np.uint64)
    return _join_sub_blocks(_decode_sub_blocks(reader, labels, math.prod(grid)), grid)


def _decode_sub_blocks(reader: "_Reader", labels: Labels, count: int) -> NDArray[np.uint64]:
    """Return the voxels `[sub-block, voxel]`."""
    counts = reader.take("<u2", count).astype(np.intp)
    if counts.max() > _MAX_LABELS:
        raise FormatError(f"malformed labels.Block: a sub-block has more than {_MAX_LABELS} labels")
    places = reader.take("<u4", int(counts.sum()))
    if (places >= len(labels)).any():
        raise FormatError("malformed labels.Block: a sub-block's label is not in the list")
    bits = bits_for(counts)
    rows = reader.take("u1", _OCTETS_PER_BIT * int(bits.sum())).reshape(-1, _OCTETS_PER_BIT)
    reader.finish()
    # A sub-block without labels is all 0.
    tables = np.append(labels[places], np.uint64(0))
    first, first_row = np.cumsum(counts) - counts, np.cumsum(bits) - bits
    voxels = np.repeat(tables[np.where(counts > 0, first, len(places))], NUM_VOXELS).reshape(
        count, NUM_VOXELS
    )
    for width in np.unique(bits[bits > 0]):
        numbers = np.flatnonzero(bits == width)
        packed = rows[first_row[numbers, None] + np.arange(width)].reshape(len(numbers), -1)
        indexes = unpack_high_first(packed, int(width))
        if (indexes >= counts[numbers, None]).any():
            raise FormatError("malformed labels.Block: a voxel's index is not in its table")
        voxels[numbers] = tables[first[numbers, None] + indexes]
    return voxels


def _join_sub_blocks(voxels: NDArray[np.uint64], grid: Point) -> NDArray[np.uint64]:
    """Return voxels `[sub-block, voxel]` as `[z, y, x]`."""
    x, y, z = grid
    split = voxels.reshape(z, y, x, SIDE, SIDE, SIDE).transpose(0, 3, 1, 4, 2, 5)
    return split.reshape(SIDE * z, SIDE * y, SIDE * x)


class _Reader:
    """Reads arrays from bytes, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, dtype: str, count: int) -> NDArray[Any]:
        """Return the next *count* numbers."""
        start = self._at
        self._at += np.dtype(dtype).itemsize * count
        if self._at > len(self._data):
            raise FormatError(f"truncated labels.Block: {len(self._data)} bytes")
        return np.frombuffer(self._data, dtype, count, start)

    def finish(self) -> None:
        """Check that nothing is left."""
        if self._at != len(self._data):
            raise FormatError(f"malformed labels.Block: {len(self._data) - self._at} bytes too many")
