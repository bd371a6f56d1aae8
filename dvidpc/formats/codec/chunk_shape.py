"""The expected shape and data type of a decoded chunk."""

import math
from typing import Any, Final, NamedTuple

import numpy as np

from dvidpc.formats.data_types import DataType
from dvidpc.types import Point

_MAX_PADDING: Final = 2**22
"""Voxels of padding that a chunk may store; a block size that needs more is absurd."""


class ChunkShape(NamedTuple):
    """What a chunk must hold once decoded."""

    size: Point
    """Voxels along x, y and z, clipped at the volume's upper end."""
    num_channels: int
    data_type: DataType
    label_block: Point | None = None
    """Block size of `compressed_segmentation`; None for any other encoding."""

    @property
    def czyx(self) -> tuple[int, int, int, int]:
        """Shape of the decoded array."""
        return self.num_channels, self.size.z, self.size.y, self.size.x

    @property
    def num_voxels(self) -> int:
        """Number of voxels per channel."""
        return math.prod(self.size)

    @property
    def nbytes(self) -> int:
        """Size of the decoded array in bytes."""
        return self.num_voxels * self.num_channels * self.data_type.itemsize

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the decoded array, little-endian."""
        return np.dtype(self.data_type.value).newbyteorder("<")
