"""Sharded storage: finds the shard object of a chunk and the chunk's bytes in it.

Follows neuroglancer's sharded.md, `neuroglancer_uint64_sharded_v1`. A shard object starts with the
shard index, one entry per minishard. Chunk data and minishard indexes follow in any order.
"""

import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import mmh3
import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import FormatError
from dvidpc.types import ByteRange

ENTRY_SIZE = 16
"""Size in bytes of a shard index entry: start and end, uint64 little-endian."""

_MAX_OFFSET = 2**63
"""Limit of offsets in a shard object; no object is that large."""


class ShardHash(StrEnum):
    """The hash that distributes shifted chunk ids over minishards and shards."""

    IDENTITY = "identity"
    MURMURHASH3_X86_128 = "murmurhash3_x86_128"


class DataEncoding(StrEnum):
    """The compression of minishard indexes or of the chunks in a shard."""

    RAW = "raw"
    GZIP = "gzip"


class ShardLocation(NamedTuple):
    """The shard, and the minishard within it, that a chunk id belongs to."""

    shard: int
    minishard: int


@dataclass(frozen=True, slots=True)
class ShardingSpec:
    """The `sharding` member of a scale."""

    preshift_bits: int
    hash: ShardHash
    minishard_bits: int
    shard_bits: int
    minishard_index_encoding: DataEncoding = DataEncoding.RAW
    data_encoding: DataEncoding = DataEncoding.RAW

    @property
    def shard_index_size(self) -> int:
        """Size in bytes of the shard index at the start of every shard object."""
        return ENTRY_SIZE << self.minishard_bits

    def locate(self, chunk_id: int) -> ShardLocation:
        """Return the shard and minishard of *chunk_id*; higher bits of the hash are ignored."""
        hashed = chunk_id >> self.preshift_bits
        if self.hash is ShardHash.MURMURHASH3_X86_128:
            hashed = murmurhash3_x86_128_low(hashed)
        minishard = hashed & ((1 << self.minishard_bits) - 1)
        shard = hashed >> self.minishard_bits & ((1 << self.shard_bits) - 1)
        return ShardLocation(shard, minishard)

    def shard_name(self, shard: int) -> str:
        """Return the name of a shard object below its scale's key: hexadecimal, padded to the shard bits."""
        digits = max(1, -(-self.shard_bits // 4))
        return f"{shard:0{digits}x}.shard"


def murmurhash3_x86_128_low(value: int) -> int:
    """Return the low 64 bits of MurmurHash3_x86_128, seed 0, of *value* as 8 little-endian bytes."""
    low: int = mmh3.hash64(value.to_bytes(8, "little"), 0, x64arch=False, signed=False)[0]
    return low


def decode_shard_index_entry(entry: bytes, spec: ShardingSpec) -> ByteRange | None:
    """Return the byte range of a minishard index in its shard object; None if the minishard is empty.

    Offsets are stored relative to the end of the shard index; the returned range is relative to the
    start of the object.  (sharded.md#shard-index-format)

    Raises:
        FormatError: *entry* is not 16 bytes, ends before it starts, or has an offset of 2^63 or more.
    """
    if len(entry) != ENTRY_SIZE:
        raise FormatError(f"shard index entry has {len(entry)} bytes, not {ENTRY_SIZE}")
    start, stop = struct.unpack("<2Q", entry)
    if stop < start:
        raise FormatError(f"shard index entry ends before it starts: {start}-{stop}")
    if stop >= _MAX_OFFSET:
        raise FormatError(f"shard index entry has an implausible offset: {start}-{stop}")
    if start == stop:
        return None
    return ByteRange(start + spec.shard_index_size, stop + spec.shard_index_size)


@dataclass(frozen=True, slots=True)
class MinishardIndex:
    """The byte ranges of a minishard's chunks in their shard object."""

    chunk_ids: NDArray[np.uint64]
    """Ascending."""
    starts: NDArray[np.uint64]
    """Offset of each chunk from the start of the object."""
    sizes: NDArray[np.uint64]

    @property
    def nbytes(self) -> int:
        """Memory use in bytes."""
        return self.chunk_ids.nbytes + self.starts.nbytes + self.sizes.nbytes

    def find(self, chunk_id: int) -> ByteRange | None:
        """Return the byte range of *chunk_id*; None if the minishard does not hold it.

        Raises:
            FormatError: The range ends at 2^63 or beyond.
        """
        at = int(self.chunk_ids.searchsorted(np.uint64(chunk_id)))
        if at == len(self.chunk_ids) or int(self.chunk_ids[at]) != chunk_id:
            return None
        start, size = int(self.starts[at]), int(self.sizes[at])
        if start + size >= _MAX_OFFSET:
            raise FormatError(
                f"minishard index entry of chunk {chunk_id} has an implausible offset: {start}+{size}"
            )
        return ByteRange(start, start + size)


def decode_minishard_index(data: bytes, spec: ShardingSpec) -> MinishardIndex:
    """Decode a decompressed minishard index: `uint64le[3][n]`, with delta-coded ids and offsets.

    Each offset counts from the end of the previous chunk, the first from the end of the shard index.
    Sums wrap at 64 bits. Ids may come in any order, and chunks may have gaps between them.
    (sharded.md#minishard-index-format)

    Raises:
        FormatError: *data* is not a whole number of entries.
    """
    if len(data) % 24:
        raise FormatError(f"minishard index has {len(data)} bytes, not a multiple of 24")
    id_deltas, gaps, sizes = np.frombuffer(data, dtype="<u8").astype(np.uint64, copy=False).reshape(3, -1)
    chunk_ids = np.cumsum(id_deltas, dtype=np.uint64)
    ends = np.cumsum(gaps + sizes, dtype=np.uint64) + np.uint64(spec.shard_index_size)
    starts = ends - sizes
    order = np.argsort(chunk_ids, kind="stable")
    return MinishardIndex(chunk_ids[order], starts[order], sizes[order])
