"""The index of a `sharding_indexed` shard: where each inner chunk lies.

(zarr v3 codec "sharding_indexed", section "Binary shard format")
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.checksums import CHECKSUM_SIZE, strip_checksum
from dvidpc.types import ByteRange

ENTRY_SIZE: Final = 16
"""Bytes of an entry: offset from the start of the object, and size."""
MAX_INDEX_SIZE: Final = 2**26
"""Most bytes of an index: 64 MiB, four million inner chunks; the largest ones seen have half a megabyte."""

_EMPTY: Final = 2**64 - 1
_MAX_OFFSET: Final = 2**63 - 1


@dataclass(frozen=True)
class ShardLayout:
    """How a shard is laid out: what describes it is the same for all shards of an array."""

    shape: tuple[int, ...]
    """Extent of a shard in voxels."""
    cells: tuple[int, ...]
    """Inner chunks along each dimension, also in shards that reach beyond the array."""
    is_index_at_start: bool = False
    """Where the index lies: in the first `index_size` bytes, or in the last ones."""
    has_checksum: bool = True
    """Whether a CRC32C follows the entries."""
    is_big_endian: bool = False
    perm: tuple[int, ...] = ()
    """Order in which the dimensions of the index are stored, offset and size included; empty: as is."""

    @cached_property
    def index_size(self) -> int:
        """Bytes of the index."""
        return ENTRY_SIZE * math.prod(self.cells) + (CHECKSUM_SIZE if self.has_checksum else 0)


@dataclass(frozen=True, eq=False)
class ShardIndex:
    """A decoded index; `entries` has the shape of the cells, and offset and size at the end."""

    entries: NDArray[np.uint64]

    @property
    def nbytes(self) -> int:
        """Its memory."""
        return self.entries.nbytes

    def find(self, inner: tuple[int, ...]) -> ByteRange | None:
        """Return where an inner chunk lies in the object; None if the shard does not hold it.

        Raises:
            FormatError: The entry is impossible: it is half empty, has no bytes, or ends beyond 2^63.
        """
        offset, size = (int(number) for number in self.entries[inner])
        if offset == size == _EMPTY:
            return None
        if size == 0 or offset + size > _MAX_OFFSET:
            raise FormatError(f"damaged shard index: inner chunk {inner} has {size} bytes at {offset}")
        return ByteRange(offset, offset + size)

    def is_stored(self) -> NDArray[np.bool_]:
        """Return which inner chunks the shard holds, in the shape of the cells."""
        stored: NDArray[np.bool_] = (self.entries != _EMPTY).any(axis=-1)
        return stored

    def end(self) -> int:
        """Return where the last inner chunk ends, in bytes of the object; 0 if all are empty."""
        stored = self.entries[self.is_stored()]
        return max((int(offset) + int(size) for offset, size in stored), default=0)


def decode_shard_index(data: bytes, layout: ShardLayout) -> ShardIndex:
    """Decode the index of a shard.

    Raises:
        FormatError: It has another size than the layout says, or its checksum is wrong.
    """
    if len(data) != layout.index_size:
        raise FormatError(f"the shard index has {len(data)} bytes, not {layout.index_size}")
    body = strip_checksum(data) if layout.has_checksum else data
    shape = (*layout.cells, 2)
    perm = layout.perm or tuple(range(len(shape)))
    stored = np.frombuffer(body, ">u8" if layout.is_big_endian else "<u8")
    entries = stored.reshape([shape[axis] for axis in perm]).transpose(np.argsort(perm))
    return ShardIndex(np.ascontiguousarray(entries, "<u8"))
