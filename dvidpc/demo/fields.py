"""Smooth random fields, which make the demo's tissue irregular."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Shape: TypeAlias = tuple[int, int, int]
"""In voxels, [z, y, x]."""
Axes: TypeAlias = Sequence[NDArray[np.int64]]
"""The positions of a grid along z, y and x, ascending."""


class SmoothField:
    """Noise of mean 0 and deviation near 1 whose hills are about *spacing* wide: a random cubic B-spline."""

    def __init__(self, rng: np.random.Generator, shape: Shape, spacing: float) -> None:
        self._spacing = spacing
        self._knots = rng.standard_normal([int(n / spacing) + 7 for n in shape], dtype=np.float32)
        self._knots *= np.float32((315 / 151) ** 1.5)  # 151/315 is the mean squared weight along an axis.

    def at(self, axes: Axes) -> Floats:
        """Return the values on a grid, which may start at -2."""
        field = self._knots
        for positions in axes:  # Each turn replaces the first axis and moves it to the end.
            places = positions / self._spacing + 2
            knots = np.arange(int(places[0]) - 1, int(places[-1]) + 3)
            d = np.abs(places[:, None] - knots)
            weights = np.where(d < 1, 2 / 3 - d**2 + d**3 / 2, np.maximum(2 - d, 0) ** 3 / 6)
            field = np.einsum("pk,k...->...p", weights.astype(np.float32), field[knots])
        return np.ascontiguousarray(field)
