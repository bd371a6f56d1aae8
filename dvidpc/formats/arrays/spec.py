"""One array as its document describes it, in the order of its own dimensions; decodes its chunks."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.chunk_codec import ChunkCodec
from dvidpc.formats.arrays.chunk_keys import KeyEncoding
from dvidpc.formats.arrays.shard_index import ShardIndex, ShardLayout
from dvidpc.formats.data_types import DataType, Voxels
from dvidpc.types import ByteRange

MAX_CHUNK_SIZE: Final = 2**29
"""Most bytes that a decoded chunk may have: 512 MiB, or half a dozen would fill the memory of a server."""


@dataclass(frozen=True)
class ArraySpec:
    """An array of zarr or N5.

    *shape*, *chunk* and cells are in the order of the array's dimensions as its document lists them: slowest
    first for zarr in C order, fastest first for N5.
    """

    shape: tuple[int, ...]
    chunk: tuple[int, ...]
    """Extent of what is decoded at once: of an inner chunk if the array is sharded."""
    data_type: DataType
    """Of a voxel; `bool` counts as uint8."""
    fill: int | float
    """The value of chunks that are not stored; 0 too where the format has none."""
    keys: KeyEncoding
    codec: ChunkCodec
    stored_as: str
    """The format and its compression for people, such as `zarr v3 blosc`."""
    shard: ShardLayout | None = None
    """None if every chunk is an object."""
    dimension_names: tuple[str | None, ...] = ()
    """Names of the dimensions as the array itself gives them; empty if it gives none."""
    is_fastest_first: bool = False
    """Whether dimensions without names are listed fastest first, as in N5."""

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Data type of decoded voxels, little-endian."""
        return np.dtype(self.data_type.value).newbyteorder("<")

    @cached_property
    def max_encoded_size(self) -> int:
        """The most bytes that a stored chunk, or an inner chunk of a shard, can have."""
        return self.codec.max_encoded_size

    @cached_property
    def object_cells(self) -> tuple[int, ...]:
        """Number of objects along each dimension: of shards if the array is sharded, else of chunks."""
        extent = self.shard.shape if self.shard else self.chunk
        return tuple(-(-n // c) for n, c in zip(self.shape, extent, strict=True))

    def object_of(self, cell: tuple[int, ...]) -> tuple[int, ...]:
        """Return the cell of the object that holds a chunk; *cell* itself if the array is not sharded."""
        if self.shard is None:
            return cell
        return tuple(i // n for i, n in zip(cell, self.shard.cells, strict=True))

    def inner_of(self, cell: tuple[int, ...]) -> tuple[int, ...]:
        """Return the position of a chunk in its shard; zeros if the array is not sharded."""
        if self.shard is None:
            return (0,) * len(cell)
        return tuple(i % n for i, n in zip(cell, self.shard.cells, strict=True))

    def key(self, cell: tuple[int, ...]) -> str:
        """Return the name of the object that holds a chunk, relative to the array's directory."""
        return self.keys.encode(self.object_of(cell))

    def find(self, index: ShardIndex, cell: tuple[int, ...]) -> ByteRange | None:
        """Return where a chunk lies in its shard; None if the shard does not hold it.

        Raises:
            FormatError: The entry of the index is damaged, or gives the chunk more bytes than it can have.
        """
        where = index.find(self.inner_of(cell))
        if where is not None and where.size > self.max_encoded_size:
            raise FormatError(
                f"its shard index gives it {where.size} bytes; it can have {self.max_encoded_size}"
            )
        return where

    def decode(self, data: bytes) -> Voxels:
        """Return the voxels of a stored chunk: of the whole chunk, also where the array ends inside it.

        May be a view of *data* and not contiguous. Takes milliseconds; runs in any thread. Memory is bounded
        by a few times the size of the decoded chunk.

        Raises:
            FormatError: *data* is damaged, or does not hold a chunk of this array.
        """
        return self.codec.decode(data)


def check_chunk_size(chunk: tuple[int, ...], itemsize: int) -> None:
    """Make sure that a chunk can be decoded in memory.

    Raises:
        FormatError: It has more than `MAX_CHUNK_SIZE` bytes.
    """
    nbytes = math.prod(chunk) * itemsize
    if nbytes > MAX_CHUNK_SIZE:
        raise FormatError(f"chunks of {list(chunk)} take {nbytes:,} bytes; the limit is {MAX_CHUNK_SIZE:,}")
