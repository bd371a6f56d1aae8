"""Packs and unpacks the indexes of compressed_segmentation sub-blocks: 0 to 32 bits each."""

from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]
Indexes = NDArray[np.unsignedinteger[Any]]

WIDTHS: Final = (0, 1, 2, 4, 8, 16, 32)
"""The widths that the format allows, in bits."""

_WORD_BITS = 32


def packed_length(num_voxels: int, width: int) -> int:
    """Return how many words the indexes of *num_voxels* voxels take."""
    return -(-num_voxels * width // _WORD_BITS)


def unpack_indexes(packed: Words, width: int, num_voxels: int) -> Indexes:
    """Return the indexes of some sub-blocks `[sub-block, voxel]`.

    Args:
        packed: `[sub-block, word]`, contiguous.
        width: Bits of each index.
        num_voxels: Voxels of a sub-block.
    """
    if width == 0:
        return np.zeros((len(packed), num_voxels), np.uint8)
    octets = packed.view(np.uint8)
    if width == 1:
        unpacked: Indexes = np.unpackbits(octets, axis=1, bitorder="little")
    elif width in _SPREAD:
        unpacked = _SPREAD[width].take(octets).view(np.uint8)
    else:
        unpacked = packed.view(f"<u{width // 8}")
    return unpacked[:, :num_voxels]


def pack_indexes(indexes: Indexes, width: int) -> Words:
    """Return the words `[sub-block, word]` of indexes `[sub-block, voxel]`; the reverse of `unpack_indexes`.

    Args:
        indexes: The indexes of some sub-blocks; the number of voxels must fill whole words.
        width: Bits of each index; all indexes must fit.
    """
    if width >= 8:
        return indexes.astype(f"<u{width // 8}").view("<u4")
    octets = indexes.astype(np.uint8)
    if width == 1:
        return np.packbits(octets, axis=1, bitorder="little").view("<u4")
    per_octet = 8 // width
    lanes = octets.reshape(len(octets), -1, per_octet) << np.arange(0, 8, width, dtype=np.uint8)
    packed: Words = np.bitwise_or.reduce(lanes, axis=2).view("<u4")
    return packed


def _spread(width: int) -> NDArray[Any]:
    """Return a table from a packed octet to its indexes, one octet each, as one integer."""
    octets = np.arange(256, dtype=np.uint8)[:, None]
    indexes = octets >> np.arange(0, 8, width, dtype=np.uint8) & np.uint8((1 << width) - 1)
    return indexes.view(f"<u{8 // width}")[:, 0]


_SPREAD: Final = MappingProxyType({width: _spread(width) for width in (2, 4)})
