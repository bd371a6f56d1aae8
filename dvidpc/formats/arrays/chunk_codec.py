"""What a stored chunk becomes: bytes are decompressed, and voxels brought into the array's own order."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from dvidpc.formats.arrays.compressors import Compression, decompress, max_compressed_size
from dvidpc.formats.data_types import Voxels


class ChunkCodec(Protocol):
    """Decodes the chunks of one array; any thread may call it."""

    @property
    def max_encoded_size(self) -> int:
        """The most bytes that a stored chunk can have."""

    def decode(self, data: bytes) -> Voxels:
        """Return the voxels of a whole chunk, in the order of the array's dimensions.

        May be a view of *data*, not contiguous and big-endian.

        Raises:
            FormatError: *data* is damaged.
        """


@dataclass(frozen=True)
class ZarrCodec:
    """A `ChunkCodec` of zarr v2 or v3: numbers of a fixed size, transposed and compressed."""

    shape: tuple[int, ...]
    """Extent of a chunk."""
    dtype: np.dtype[Any]
    """Of stored numbers, with their byte order."""
    perm: tuple[int, ...]
    """The dimension of the array that each dimension of the stored chunk is, slowest first."""
    compressions: tuple[Compression, ...]
    """In the order of encoding."""

    @cached_property
    def nbytes(self) -> int:
        """Bytes of a decoded chunk."""
        return math.prod(self.shape) * self.dtype.itemsize

    @cached_property
    def max_encoded_size(self) -> int:
        """As `ChunkCodec.max_encoded_size`."""
        return max_compressed_size(self.nbytes, self.compressions)

    def decode(self, data: bytes) -> Voxels:
        """As `ChunkCodec.decode`."""
        raw = decompress(data, self.compressions, self.nbytes)
        return np.frombuffer(raw, self.dtype).reshape(self._stored_shape).transpose(self._inverse)

    @cached_property
    def _stored_shape(self) -> tuple[int, ...]:
        return tuple(self.shape[axis] for axis in self.perm)

    @cached_property
    def _inverse(self) -> tuple[int, ...]:
        """The stored dimension that each dimension of the array is."""
        return tuple(self.perm.index(axis) for axis in range(len(self.perm)))
