"""The `transform` of meshes and skeletons: from the coordinates they are stored in to nanometers."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import FormatError


@dataclass(frozen=True, slots=True)
class Transform:
    """An affine map of three coordinates."""

    rows: tuple[float, ...]
    """The 3 x 4 matrix, row after row; its last column is the translation."""

    @property
    def determinant(self) -> float:
        """By how much volumes grow; negative if the map turns surfaces inside out."""
        with np.errstate(all="ignore"):
            return float(np.linalg.det(self._matrix()[:, :3]))

    @property
    def length_scale(self) -> float:
        """By how much lengths grow, on average over the axes."""
        return float(np.cbrt(abs(self.determinant)))

    def apply(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return *points* `[point, xyz]` mapped; overflow gives infinity."""
        matrix = self._matrix()
        with np.errstate(all="ignore"):
            return points @ matrix[:, :3].T + matrix[:, 3]

    def _matrix(self) -> NDArray[np.float64]:
        return np.array(self.rows, np.float64).reshape(3, 4)


IDENTITY: Final = Transform((1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0))
"""The transform of a document that has none."""


def read_transform(value: object) -> Transform:
    """Return a `transform` member: twelve numbers.

    (neuroglancer skeleton.rst and mesh.rst)

    Raises:
        FormatError: It is something else.
    """
    if not isinstance(value, list) or len(value) != 12:
        raise FormatError("is not a list of 12 numbers")
    return Transform(tuple(_finite(number) for number in value))


def _finite(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= np.finfo("f4").max:
        raise FormatError("holds something other than finite numbers")
    return float(value)
