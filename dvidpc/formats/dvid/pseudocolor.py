"""Colors labels as DVID's `pseudocolor` endpoint does: by their murmur3 hash.

(labelmap.go:3273-3296, 3400c2cb)
"""

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.data_types import Voxels

_NUM_OCTETS = 8


def color_labels(plane_rc: Voxels) -> NDArray[np.uint8]:
    """Return the colors `[row, column, 3]` (red, green, blue) of labels `[row, column]`.

    They are the highest three bytes of the 32-bit murmur3 hash of the label's eight bytes, lowest byte first.
    """
    hashes = _murmur3(plane_rc.astype("<u8", order="C"))
    return hashes.astype(">u4").view(np.uint8).reshape(*plane_rc.shape, 4)[..., :3]


def _murmur3(labels: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Return MurmurHash3_x86_32 of each label, with seed 0."""
    hashes = np.zeros(labels.shape, np.uint32)
    for shift in (0, 32):
        word = (labels >> np.uint64(shift)).astype(np.uint32) * np.uint32(0xCC9E2D51)
        hashes ^= _rotate(word, 15) * np.uint32(0x1B873593)
        hashes = _rotate(hashes, 13) * np.uint32(5) + np.uint32(0xE6546B64)
    hashes ^= np.uint32(_NUM_OCTETS)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        hashes = (hashes ^ hashes >> np.uint32(shift)) * np.uint32(factor)
    return hashes ^ hashes >> np.uint32(16)


def _rotate(words: NDArray[np.uint32], bits: int) -> NDArray[np.uint32]:
    """Return *words* rotated left."""
    return words << np.uint32(bits) | words >> np.uint32(32 - bits)
