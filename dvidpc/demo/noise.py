"""Smooth noise, the stuff the demo's tissue is made of."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]


def smooth_noise(rng: np.random.Generator, shape: tuple[int, ...], spacing: float) -> Floats:
    """Noise of mean 0 and deviation near 1 whose hills are some *spacing* wide: random cubic B-splines."""
    weights = [_spline_weights(count, spacing) for count in shape]
    field = rng.standard_normal([w.shape[1] for w in weights], dtype=np.float32)
    for axis, w in enumerate(weights):
        field = np.moveaxis(np.tensordot(w, field, axes=(1, axis)), 0, axis)
    # The mean of the squared weights along an axis is 151/315.
    return np.ascontiguousarray(field) * np.float32((315 / 151) ** (len(shape) / 2))


def _spline_weights(count: int, spacing: float) -> Floats:
    """How much each knot (second axis) adds at each of *count* points."""
    knots = np.arange(-1, int((count - 1) / spacing) + 3)
    d = np.abs(np.arange(count)[:, None] / spacing - knots)
    bell = np.where(d < 1, 2 / 3 - d**2 + d**3 / 2, np.where(d < 2, (2 - d) ** 3 / 6, 0))
    return bell.astype(np.float32)
