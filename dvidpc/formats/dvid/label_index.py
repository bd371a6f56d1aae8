"""DVID's `LabelIndex`, a protobuf message with the blocks of a label and its voxels in each.

    message SVCount    { map<uint64, uint32> counts = 1; }
    message LabelIndex { map<uint64, SVCount> blocks = 1; uint64 label = 2; ... }

(datatype/common/proto/labelops.proto and datatype/common/labels/index.go, 3400c2cb)

Both directions work on arrays, for millions of labels or blocks at a time. The `protobuf` package would make
an object of every block. A label is its own only supervoxel, nothing was ever changed, and the blocks are
ascending; DVID writes them in any order.
"""

from array import array
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import FormatError
from dvidpc.formats.dvid.varints import read_varints, varint_sizes, write_varints

COORDINATE_BITS: Final = 20
"""Bits of a block coordinate, besides its sign."""

_AXIS_BITS: Final = COORDINATE_BITS + 1
_MAGNITUDE: Final = np.uint64((1 << COORDINATE_BITS) - 1)
_SIGN: Final = np.uint64(1 << COORDINATE_BITS)
_ALL_BITS: Final = np.uint64((1 << 3 * _AXIS_BITS) - 1)

_BLOCKS, _LABEL = 0x0A, 0x10
"""Tags of `LabelIndex`: field 1 with a length, field 2 as a number."""
_KEY, _VALUE = 0x08, 0x12
"""Tags of an entry of `blocks`: its key, and its value with a length."""
_COUNTS, _SUPERVOXEL, _COUNT = 0x0A, 0x08, 0x10
"""Tags of `SVCount`, and of an entry of its `counts`."""

_FIXED_SIZE: Final = 9
"""Bytes of the tags and lengths of one block."""
MAX_BLOCK_SIZE: Final = _FIXED_SIZE + 9 + 10 + 5
"""The most bytes that one block takes."""
_SLICE: Final = 2**16
"""Blocks that are decoded together, which bounds memory."""
_SPARE: Final = 16
"""Zeros after a message, so that a varint can be looked for at its end."""


@dataclass(frozen=True, slots=True)
class EncodedIndexes:
    """The messages of many labels, one after the other."""

    labels: NDArray[np.uint64]
    """Ascending."""
    data: bytes
    ends: NDArray[np.int64]
    """Where the message of each label ends in *data*; it starts where the one before ends."""

    def messages(self) -> list[memoryview]:
        """Return the message of each label, without copying it."""
        view = memoryview(self.data)
        starts = [0, *self.ends.tolist()]
        return [view[start:stop] for start, stop in zip(starts, self.ends.tolist(), strict=False)]


@dataclass(frozen=True, slots=True)
class LabelBlocks:
    """The blocks of a label."""

    xyz: NDArray[np.int32]
    """One row x, y, z each, ascending by z, then y, then x."""
    voxels: NDArray[np.uint32]
    """The label's voxels in each; at least 1."""

    @property
    def nbytes(self) -> int:
        """Memory use in bytes."""
        return self.xyz.nbytes + self.voxels.nbytes


def pack_blocks(xyz: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Return DVID's number for each block coordinate, a row x, y, z: z, y, x from the highest bit.

    Each axis has 20 bits and, above them, a sign.  (EncodeBlockIndex)

    Raises:
        FormatError: A coordinate needs more than 20 bits.
    """
    magnitudes = np.abs(xyz.astype(np.int64)).astype(np.uint64)
    if magnitudes.size and magnitudes.max() > _MAGNITUDE:
        raise FormatError(f"a block coordinate of {magnitudes.max()} needs more than {COORDINATE_BITS} bits")
    x, y, z = (magnitudes | np.where(xyz < 0, _SIGN, np.uint64(0))).T
    packed: NDArray[np.uint64] = x | y << np.uint64(_AXIS_BITS) | z << np.uint64(2 * _AXIS_BITS)
    return packed


def unpack_blocks(packed: NDArray[np.uint64]) -> NDArray[np.int32]:
    """Return the block coordinates, a row x, y, z each, that `pack_blocks` made numbers of."""
    xyz = np.empty((len(packed), 3), np.int32)
    for axis in range(3):
        bits = packed >> np.uint64(axis * _AXIS_BITS)
        magnitude = (bits & _MAGNITUDE).astype(np.int32)
        xyz[:, axis] = np.where(bits & _SIGN, -magnitude, magnitude)
    return xyz


def halve_blocks(xyz: NDArray[np.int32], times: int) -> NDArray[np.int32]:
    """Return the blocks that lie over some blocks where the resolution was halved so often.

    Args:
        xyz: The blocks, one row x, y, z each.
        times: How often; 0 returns the blocks themselves.

    Returns:
        Each block once, ascending by z, then y, then x.
    """
    if not times:
        return xyz
    order = np.unique(_order(xyz >> times))
    axes = [order >> shift & (1 << _AXIS_BITS) - 1 for shift in (0, _AXIS_BITS, 2 * _AXIS_BITS)]
    return (np.column_stack(axes) - (1 << COORDINATE_BITS)).astype(np.int32)


def encode_label_indexes(
    labels: NDArray[np.uint64], blocks: NDArray[np.uint64], voxels: NDArray[np.uint32]
) -> EncodedIndexes:
    """Encode the indexes of many labels.

    Args:
        labels: One element for each pair of a label and a block that holds it; ascending.
        blocks: The blocks as `pack_blocks` numbers them; those of one label by z, y and x.
        voxels: How many voxels of the block have the label.
    """
    counts = voxels.astype(np.uint64)
    key, label, count = varint_sizes(blocks), varint_sizes(labels), varint_sizes(counts)
    is_last = np.append(labels[1:] != labels[:-1], True) if len(labels) else np.zeros(0, np.bool_)
    tails = np.where(is_last, 1 + label, 0)
    inner = 2 + label + count
    outer = 5 + key + inner
    ends = np.cumsum(2 + outer + tails)
    out = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)

    at = ends - tails - outer - 2
    at = _put(out, at, _BLOCKS, outer, _KEY)
    at = write_varints(out, at, blocks, key)
    at = _put(out, at, _VALUE, inner + 2, _COUNTS, inner, _SUPERVOXEL)
    at = write_varints(out, at, labels, label)
    at = _put(out, at, _COUNT)
    at = write_varints(out, at, counts, count)
    at = _put(out, at[is_last], _LABEL)
    write_varints(out, at, labels[is_last], label[is_last])
    return EncodedIndexes(labels[is_last], out.tobytes(), ends[is_last])


def encode_in_list(label: int, message: bytes | None) -> bytes:
    """Return a message as an element of `LabelIndices { repeated LabelIndex indices = 1; }`.

    Args:
        label: Its label.
        message: The message; None for a label without blocks.
    """
    if message is None:
        message = bytes([_LABEL]) + _varint(label)
    return bytes([_BLOCKS]) + _varint(len(message)) + message


def decode_label_index(data: bytes, label: int) -> LabelBlocks:
    """Decode the index of *label*, as `encode_label_indexes` writes it. 10^6 blocks take half a second.

    Raises:
        FormatError: *data* is malformed, or the index of another label.
    """
    buffer = np.frombuffer(data + bytes(_SPARE), np.uint8)
    starts, stop = _find_blocks(data)
    if not _is_tail(data[stop:], label):
        raise FormatError("is not the index of one label")
    bounds = np.append(np.frombuffer(starts, np.int64), stop) if starts else np.zeros(1, np.int64)
    xyz = np.empty((len(starts), 3), np.int32)
    voxels = np.empty(len(starts), np.uint32)
    for at in range(0, len(starts), _SLICE):
        part = slice(at, at + _SLICE)
        packed, voxels[part] = _decode_blocks(buffer, bounds[at : at + _SLICE + 1], label)
        xyz[part] = unpack_blocks(packed)
    if (np.diff(_order(xyz)) <= 0).any():
        raise FormatError("has blocks that are not ascending")
    return LabelBlocks(xyz, voxels)


def _decode_blocks(
    buffer: NDArray[np.uint8], bounds: NDArray[np.int64], label: int
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return packed coordinates and voxels of entries; *bounds* are their starts and the last one's end."""
    at = _expect(buffer, bounds[:-1] + 2, _KEY)
    packed, at = read_varints(buffer, at)
    at = _expect_length(buffer, _expect(buffer, at, _VALUE), bounds[1:])
    at = _expect_length(buffer, _expect(buffer, at, _COUNTS), bounds[1:])
    at = _expect(buffer, at, _SUPERVOXEL)
    supervoxels, at = read_varints(buffer, at)
    at = _expect(buffer, at, _COUNT)
    voxels, at = read_varints(buffer, at)
    if (at != bounds[1:]).any():
        raise FormatError("is not a list of blocks")
    if (supervoxels != np.uint64(label)).any() or (packed > _ALL_BITS).any():
        raise FormatError("has another supervoxel than the label itself, or a block number that is too large")
    if (voxels == 0).any() or (voxels >= np.uint64(2**32)).any():
        raise FormatError("has a block with no voxels or more than a block can have")
    return packed, voxels


def _order(xyz: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return a number for each block that ascends with z, then y, then x."""
    x, y, z = xyz.T.astype(np.int64) + (1 << COORDINATE_BITS)
    order: NDArray[np.int64] = (z << 2 * _AXIS_BITS) + (y << _AXIS_BITS) + x
    return order


def merge_entries(
    labels: NDArray[np.uint64], blocks: NDArray[np.uint64], voxels: NDArray[np.integer]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint32]]:
    """Sort entries for `encode_label_indexes`; add up the voxels of the same label and block."""
    order = _order(unpack_blocks(blocks))
    by = np.lexsort((order, labels))
    labels, blocks, voxels = labels[by], blocks[by], voxels[by]
    if not len(labels):
        return labels, blocks, voxels.astype(np.uint32)
    is_first = np.append(True, (labels[1:] != labels[:-1]) | (blocks[1:] != blocks[:-1]))
    sums = np.add.reduceat(voxels.astype(np.uint64), np.flatnonzero(is_first))
    return labels[is_first], blocks[is_first], sums.astype(np.uint32)


def _varint(value: int) -> bytes:
    values = np.array([value], np.uint64)
    sizes = varint_sizes(values)
    out = np.empty(int(sizes[0]), np.uint8)
    write_varints(out, np.zeros(1, np.int64), values, sizes)
    return out.tobytes()


def _find_blocks(data: bytes) -> tuple["array[int]", int]:
    """Return where the entries of `blocks` start, and where the last one ends."""
    starts = array("q")
    at, last = 0, len(data) - 2
    while at <= last and data[at] == _BLOCKS:
        starts.append(at)
        at += 2 + data[at + 1]
    return starts, at


def _is_tail(data: bytes, label: int) -> bool:
    value, at = read_varints(np.frombuffer(data + bytes(_SPARE), np.uint8), np.array([1]))
    return data[:1] == bytes([_LABEL]) and int(value[0]) == label and int(at[0]) == len(data)


def _put(
    out: NDArray[np.uint8], at: NDArray[np.int64], *values: int | NDArray[np.int64]
) -> NDArray[np.int64]:
    """Write single bytes one after the other at each position; return the positions after them."""
    for value in values:
        out[at] = value
        at = at + 1
    return at


def _expect(buffer: NDArray[np.uint8], at: NDArray[np.int64], tag: int) -> NDArray[np.int64]:
    """Check that each position holds *tag*; return the positions after it."""
    if len(at) and (int(at.max()) >= len(buffer) - _SPARE or (buffer[at] != tag).any()):
        raise FormatError("is not a list of blocks")
    return at + 1


def _expect_length(
    buffer: NDArray[np.uint8], at: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Check that each position holds the number of bytes that follow up to *ends*; return those after it."""
    if len(at) and (int(at.max()) >= len(buffer) - _SPARE or (buffer[at] != ends - at - 1).any()):
        raise FormatError("is not a list of blocks")
    return at + 1
