"""Reads inner chunks out of the shards of an array; keeps the indexes that tell where they lie.

An index is read by one request, from the start or the end of its shard, and each inner chunk by one more.
Both must belong to the same version of the shard.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Final, NamedTuple

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import FormatError, ObjectChangedError
from dvidpc.formats.arrays.shard_index import ShardIndex, ShardLayout, decode_shard_index
from dvidpc.sources.known_shards import OFF_LOOP_SIZE, KnownShards
from dvidpc.storage.base import Blob, ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.storage.versions import Comparison, Version, compare
from dvidpc.types import ByteRange

Find = Callable[[ShardIndex], ByteRange | None]
"""Looks an inner chunk up in the index of its shard; None if the shard does not hold it."""


@dataclass(frozen=True, slots=True)
class KnownIndex:
    """The index of a shard, and the version of the shard that it describes."""

    index: ShardIndex
    version: Version

    @property
    def nbytes(self) -> int:
        """Its memory."""
        return self.index.nbytes


class FoundChunk(NamedTuple):
    """Where an inner chunk lies."""

    where: ByteRange
    version: Version
    """The content of the shard that *where* belongs to."""


class ArrayShards:
    """Reads the shards of one array.

    Args:
        store: Where the shards lie.
        layout: How each is laid out.
        indexes: Keeps their indexes; may serve many readers.
    """

    def __init__(self, store: ObjectStore, layout: ShardLayout, indexes: LoadingCache) -> None:
        self._store = store
        self._layout = layout
        self._indexes = indexes
        self._known = KnownShards(store, indexes, self._name)
        if layout.has_checksum:
            import_module("google_crc32c")  # takes long, and the first index is decoded on the event loop

    def on_replaced(self, callback: Callable[[], None]) -> None:
        """Have *callback* called whenever a shard turns out to have been replaced."""
        self._known.on_replaced(callback)

    async def read(self, key: str, find: Find, describe: Callable[[], str]) -> bytes | None:
        """Return an inner chunk as stored; None if its shard does not exist or does not hold it.

        Args:
            key: The shard.
            find: Looks the chunk up.
            describe: Returns the name of the chunk for messages.

        Raises:
            FormatError: The index is damaged, or the shard ends before the chunk does.
            StoreError: The bucket failed; whether the chunk is stored is not known.
        """
        try:
            return await self._read(key, find, describe)
        except ObjectChangedError:
            return await self._read(key, find, describe)

    async def locate(self, key: str, find: Find) -> FoundChunk | None:
        """Return where an inner chunk lies; None if its shard does not exist or does not hold it.

        Raises:
            FormatError: The index is damaged.
            StoreError: The bucket failed.
        """
        known = await self._index_of(key)
        where = None if known is None else find(known.index)
        return None if known is None or where is None else FoundChunk(where, known.version)

    def forget_all(self) -> None:
        """Forget every index of the store: shards that were reported missing may exist after all."""
        self._known.forget_all()

    async def _read(self, key: str, find: Find, describe: Callable[[], str]) -> bytes | None:
        found = await self.locate(key, find)
        if found is None:
            return None
        try:
            blob = await self._known.read_part(key, found.where, found.version)
        except FormatError as error:
            raise FormatError(f"{describe()}: {error}") from error
        return blob.data

    async def _index_of(self, key: str) -> KnownIndex | None:
        cached = self._known.key_of(key, _INDEX)
        known: KnownIndex | None = await self._indexes.get_or_load(cached, lambda: self._load_index(key))
        return known

    async def _load_index(self, key: str) -> KnownIndex | None:
        """Return the index of a shard; None if there is no such shard."""
        blob = await read_shard_index(self._store, key, self._layout)
        known = self._indexes.last_known(self._known.key_of(key, _INDEX))
        if isinstance(known, KnownIndex) and (
            blob is None or compare(known.version, blob.version) is Comparison.REPLACED
        ):
            self._known.forget(key)
        return None if blob is None else KnownIndex(await self._decode(key, blob.data), blob.version)

    async def _decode(self, key: str, data: bytes) -> ShardIndex:
        try:
            if len(data) < OFF_LOOP_SIZE:
                return decode_shard_index(data, self._layout)
            return await asyncio.to_thread(decode_shard_index, data, self._layout)
        except FormatError as error:
            raise FormatError(f"{self._name(key)}: {error}") from error

    def _name(self, key: str) -> str:
        return name_object(self._store.url, key)


async def read_shard_index(store: ObjectStore, key: str, layout: ShardLayout) -> Blob | None:
    """Return the index of a shard as stored; None if there is no such shard.

    Raises:
        FormatError: The shard is shorter than its index.
        StoreError: The bucket failed.
    """
    if layout.is_index_at_start:
        return await store.get_range(key, ByteRange(0, layout.index_size))
    return await store.get_tail(key, layout.index_size)


_INDEX: Final = "array index"
"""Marks the keys of this module in the cache."""
