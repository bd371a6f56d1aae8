"""Packs and unpacks the indexes of a labels.Block: 1 to 9 bits each, the highest bit first."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Indexes = NDArray[np.unsignedinteger[Any]]
Octets = NDArray[np.uint8]

_OCTET = 8


class ValueRows:
    """The packed indexes of all sub-blocks, one after the other; filled by groups of one width."""

    def __init__(self, bits: NDArray[np.intp], octets_per_bit: int) -> None:
        """Prepare for sub-blocks whose indexes take *bits* each; *octets_per_bit* is voxels / 8."""
        self._bits = bits
        self._starts = np.cumsum(bits) - bits
        self._rows = np.empty((int(bits.sum()), octets_per_bit), np.uint8)

    def by_bits(self) -> Iterator[tuple[int, NDArray[np.intp]]]:
        """Yield each width in use, except 0, with the numbers of its sub-blocks."""
        for bits in range(1, int(self._bits.max(initial=0)) + 1):
            numbers = np.flatnonzero(self._bits == bits)
            if len(numbers):
                yield bits, numbers

    def put(self, numbers: NDArray[np.intp], bits: int, packed: Octets) -> None:
        """Set the packed indexes `[sub-block, octet]` of sub-blocks *numbers*."""
        rows = self._starts[numbers, None] + np.arange(bits)
        self._rows[rows] = packed.reshape(len(numbers), bits, -1)

    def tobytes(self) -> bytes:
        """Return all rows."""
        return self._rows.tobytes()


def bits_for(counts: NDArray[np.integer]) -> NDArray[np.intp]:
    """Return how many bits an index into a table of each length takes: 0 for one label, 9 for 512."""
    bits: NDArray[np.intp] = np.ceil(np.log2(np.maximum(counts, 1))).astype(np.intp)
    return bits


def pack_high_first(indexes: Indexes, bits: int) -> Octets:
    """Return indexes `[sub-block, voxel]` packed, `[sub-block, octet]`.

    Args:
        indexes: The indexes; the number of voxels is a multiple of 8.
        bits: Bits of each index, 1 to 9; all indexes must fit.
    """
    rows = len(indexes)
    if bits > _OCTET:
        every_bit = np.unpackbits(indexes.astype(">u2").view(np.uint8), axis=1).reshape(rows, -1, 16)
        return np.packbits(every_bit[:, :, 16 - bits :].reshape(rows, -1), axis=1)
    octets = np.ascontiguousarray(indexes.astype(np.uint8, copy=False))
    if bits == _OCTET:
        return octets
    if bits == 1:
        return np.packbits(octets, axis=1)
    # Eight indexes at a time, as one number of 64 bits: close the gaps between pairs, fours and eights.
    eights = octets.view(">u8").astype(np.uint64)
    for lane in (8, 16, 32):
        gap = np.uint64(lane - bits * lane // _OCTET)
        high = eights & _UPPER_HALVES[lane]
        eights = eights ^ high | high >> gap
    packed = (eights << np.uint64(64 - _OCTET * bits)).astype(">u8").view(np.uint8)
    return packed.reshape(rows, -1, _OCTET)[:, :, :bits].reshape(rows, -1)


def unpack_high_first(packed: Octets, bits: int) -> NDArray[np.intp]:
    """Return the indexes `[sub-block, voxel]` of `[sub-block, octet]`; the reverse of `pack_high_first`."""
    every_bit = np.unpackbits(packed, axis=1).reshape(len(packed), -1, bits)
    indexes: NDArray[np.intp] = every_bit @ (1 << np.arange(bits)[::-1])
    return indexes


_UPPER_HALVES = {
    8: np.uint64(0xFF00FF00FF00FF00),
    16: np.uint64(0xFFFF0000FFFF0000),
    32: np.uint64(0xFFFFFFFF00000000),
}
"""The upper half of every pair of lanes of a 64-bit number, by the width of a lane."""
