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
    def max_encoded_size(self) -> int:
        """As `ChunkCodec.max_encoded_size`."""
        return max_compressed_size(math.prod(self.shape) * self.dtype.itemsize, self.compressions)

    def decode(self, data: bytes) -> Voxels:
        """As `ChunkCodec.decode`."""
        raw = decompress(data, self.compressions, math.prod(self.shape) * self.dtype.itemsize)
        stored = np.frombuffer(raw, self.dtype).reshape([self.shape[axis] for axis in self.perm])
        return stored.transpose(np.argsort(self.perm))
