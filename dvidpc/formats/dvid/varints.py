"""Protobuf's numbers of variable length, many at a time: 7 bits a byte, the lowest first."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import FormatError

_MOST_BYTES: Final = 10
_LIMITS: Final = np.array([1 << 7 * k for k in range(1, _MOST_BYTES)], np.uint64)
"""The first number that needs 2, 3, ... bytes."""


def varint_sizes(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return how many bytes each number takes."""
    return np.searchsorted(_LIMITS, values, side="right") + 1


def write_varints(
    out: NDArray[np.uint8], at: NDArray[np.int64], values: NDArray[np.uint64], sizes: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Write numbers into *out*.

    Args:
        out: Where to.
        at: The position of each number.
        values: The numbers.
        sizes: Their `varint_sizes`.

    Returns:
        The positions after them.
    """
    most = int(sizes.max()) if len(sizes) else 0
    for k in range(most):
        has_more = np.flatnonzero(sizes > k)
        low = (values[has_more] >> np.uint64(7 * k) & np.uint64(0x7F)).astype(np.uint8)
        out[at[has_more] + k] = low | ((sizes[has_more] > k + 1).astype(np.uint8) << 7)
    return at + sizes


def read_varints(
    data: NDArray[np.uint8], at: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the numbers at the positions *at*, and the positions after them.

    Raises:
        FormatError: A number has more than 64 bits, takes more bytes than it needs, or runs over the end.
    """
    values = np.zeros(len(at), np.uint64)
    sizes = np.zeros(len(at), np.int64)
    left = np.arange(len(at))
    for k in range(_MOST_BYTES):
        where = at[left] + k
        if len(where) and int(where.max()) >= len(data):
            raise FormatError("ends within a number")
        found = data[where].astype(np.uint64)
        values[left] |= (found & np.uint64(0x7F)) << np.uint64(7 * k)
        sizes[left] = k + 1
        left = left[found >= 0x80]
        if not len(left):
            break
    if len(left) or (sizes != varint_sizes(values)).any():
        raise FormatError("has a number of more than 64 bits, or one that is not written in the shortest way")
    return values, at + sizes
