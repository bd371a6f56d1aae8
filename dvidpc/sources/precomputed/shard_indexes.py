"""How shard and minishard indexes are read from a store, and how large they may be."""

from typing import Final, NamedTuple

from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.sharding import (
    ENTRY_SIZE,
    DataEncoding,
    MinishardIndex,
    ShardingSpec,
    decode_minishard_index,
    decode_shard_index_entry,
)
from dvidpc.storage.base import Blob, ObjectStore
from dvidpc.storage.content_encoding import decode_content
from dvidpc.types import ByteRange

PAGE_ENTRIES: Final = 4096
"""Entries of a shard index read at a time: 64 KiB cost as much as 16 bytes where the round trip dominates."""

_MAX_INDEX_SIZE: Final = 2**28
"""Bytes of a minishard index beyond which it is surely damaged (11 million chunks)."""
_ENTRY_SIZE: Final = 24
_GZIP_OVERHEAD: Final = 1024
"""Bytes by which gzip may enlarge an index that does not compress."""


_MAGIC: Final = {b"\x1f\x8b\x08": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
"""How compressed files begin."""


class IndexBounds(NamedTuple):
    """How many bytes a minishard index may have."""

    stored: int
    decoded: int


def bounds_for(max_ids: int) -> IndexBounds:
    """Return the bounds for a minishard that holds at most *max_ids* ids."""
    decoded = min(_MAX_INDEX_SIZE, _ENTRY_SIZE * max_ids)
    return IndexBounds(decoded + _GZIP_OVERHEAD, decoded)


async def read_page(store: ObjectStore, key: str, page: int, spec: ShardingSpec) -> Blob | None:
    """Read one page of a shard index; None if there is no such shard.

    Raises:
        FormatError: The object ends before the page does.
        StoreError: The bucket failed.
    """
    size = PAGE_ENTRIES * ENTRY_SIZE
    start = page * size
    return await store.get_range(key, ByteRange(start, min(start + size, spec.shard_index_size)))


def find_minishard(page: bytes, entry: int, spec: ShardingSpec, bounds: IndexBounds) -> ByteRange | None:
    """Return where a minishard index lies in its shard; None if the minishard is empty.

    Args:
        page: A page of the shard index.
        entry: Which entry of the page.
        spec: How the scale is sharded.
        bounds: What the index may have.

    Raises:
        FormatError: The entry is malformed, or gives the index more bytes than it can have.
    """
    where = decode_shard_index_entry(page[entry * ENTRY_SIZE :][:ENTRY_SIZE], spec)
    if where is not None and where.size > bounds.stored:
        raise FormatError(f"shard index gives the minishard index {where.size} bytes")
    return where


def decode_index(data: bytes, spec: ShardingSpec, bounds: IndexBounds) -> MinishardIndex:
    """Decompress and decode a minishard index.

    Raises:
        FormatError: It is malformed, or larger than it can be.
    """
    if spec.minishard_index_encoding is DataEncoding.GZIP:
        data = decode_content(data, "gzip", max_size=bounds.decoded)
    return decode_minishard_index(data, spec)


def find_compression(page: bytes) -> str:
    """Return what to add to an error about the first page of a shard index; empty if nothing explains it."""
    for magic, encoding in _MAGIC.items():
        if page.startswith(magic):
            return (
                f"; the whole shard file is compressed by {encoding}, perhaps as its Content-Encoding: "
                "store it uncompressed"
            )
    return ""
