"""Shows voxels of any type as 8 bits: values are scaled linearly between two limits, and clipped."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.data_types import Voxels
from dvidpc.formats.window import Window

_SLAB: Final = 2**18
"""Voxels that are scaled at a time: their values as float64 stay in the processor's cache."""
_TABLE_BITS: Final = 16
"""Integers of at most so many bits are looked up in a table."""


def scale_voxels(voxels: Voxels, window: Window) -> NDArray[np.uint8]:
    """Return *voxels* as 8 bits, in C order: `(value - low) * 255 / (high - low)`, rounded and clipped.

    The calculation is done with float64, and ties are rounded to the even number. NaN becomes 0. Takes
    milliseconds.
    """
    if voxels.dtype.kind in "iu" and 8 * voxels.dtype.itemsize <= _TABLE_BITS:
        return _look_up(voxels, window)
    shown = np.empty(voxels.shape, np.uint8)
    flat, values = shown.reshape(-1), voxels.reshape(-1)
    for start in range(0, len(flat), _SLAB):
        flat[start : start + _SLAB] = _scale(values[start : start + _SLAB], window)
    return shown


def scale_value(value: float, dtype: "np.dtype[Any]", window: Window) -> int:
    """Return one value of a type as 8 bits."""
    return int(scale_voxels(np.full(1, value, dtype), window)[0])


def propose_window(voxels: Voxels) -> Window | None:
    """Return the window from the 0.5 to the 99.5 percentile of *voxels*; None if that is empty or no number.

    Args:
        voxels: A sample; zeros and values that are not finite are left out.
    """
    values = voxels[np.isfinite(voxels) & (voxels != 0)]
    if not values.size:
        return None
    low, high = (float(limit) for limit in np.percentile(values, (0.5, 99.5)))
    return Window(low, high) if low < high else None


def _look_up(voxels: Voxels, window: Window) -> NDArray[np.uint8]:
    dtype = voxels.dtype.newbyteorder("=")
    unsigned = np.dtype(f"u{dtype.itemsize}")
    every = np.arange(2 ** (8 * dtype.itemsize), dtype=unsigned)
    table = _scale(every.view(dtype), window)
    return np.take(table, voxels.astype(dtype, copy=False).view(unsigned))


def _scale(values: Voxels, window: Window) -> NDArray[np.uint8]:
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = (values.astype(np.float64) - window.low) * 255 / (window.high - window.low)
    return np.rint(np.clip(np.nan_to_num(scaled, nan=0.0), 0, 255)).astype(np.uint8)
