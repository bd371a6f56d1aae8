"""The expected shape, data type and size of a decoded chunk."""

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

    @property
    def max_encoded_size(self) -> int:
        """Size limit in bytes of an encoded chunk; a larger one is malformed.

        No codec triples its input. compressed_segmentation with a table for each small block may double it,
        and stores the padding of blocks that exceed the chunk.
        """
        num_stored = self.num_voxels + min(self._num_padding, _MAX_PADDING)
        return 3 * num_stored * self.num_channels * self.data_type.itemsize + 65_536

    @property
    def _num_padding(self) -> int:
        """Voxels by which whole blocks of compressed_segmentation exceed a channel."""
        if self.label_block is None:
            return 0
        padded = (-(-n // b) * b for n, b in zip(self.size, self.label_block, strict=True))
        return math.prod(padded) - self.num_voxels
