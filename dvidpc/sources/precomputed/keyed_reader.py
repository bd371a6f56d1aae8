"""Read values by segment id, as of meshes and skeletons: from objects of their own, or out of shards."""

from functools import partial
from typing import Final

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.sharding import ShardingSpec
from dvidpc.sources.precomputed.shard_indexes import bounds_for
from dvidpc.sources.precomputed.shard_reader import ShardReader
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.types import ByteRange

MAX_IDS: Final = 2**22
"""Ids of one minishard beyond which its index is surely damaged: 96 MiB."""


class KeyedReader:
    """Reads the values of one directory, in which a segment has one value.

    Args:
        store: Where the directory lies.
        directory: Its key.
        sharding: How ids are distributed over shards; None: each value is an object.
        indexes: Keeps shard and minishard indexes; may serve many readers.
        suffix: What follows the id in an object's name, for unsharded values.
    """

    def __init__(
        self,
        store: ObjectStore,
        directory: str,
        sharding: ShardingSpec | None,
        indexes: LoadingCache,
        suffix: str = "",
    ) -> None:
        self._store = store
        self._directory = directory
        self._suffix = suffix
        self.shards = (
            None
            if sharding is None
            else ShardReader(store, directory, sharding, bounds_for(MAX_IDS), indexes)
        )
        """Reads the shards; None if each value is an object."""

    def describe(self, segment_id: int) -> str:
        """Return the value's name for messages: the object, and the id where it holds many."""
        if self.shards is None:
            return name_object(self._store.url, self._key(segment_id))
        return f"{self.shards.shard_of(segment_id)} id {segment_id}"

    async def read(self, segment_id: int, max_size: int) -> bytes | None:
        """Return the value of a segment; None if it has none.

        Args:
            segment_id: Which segment: an unsigned 64-bit number.
            max_size: Bytes beyond which the value is surely damaged.

        Raises:
            FormatError: The stored bytes break the format.
            StoreError: The bucket failed; whether the value is stored is not known.
        """
        if self.shards is not None:
            blob = await self.shards.read(segment_id, max_size, partial(self.describe, segment_id))
        else:
            blob = await self._store.get(self._key(segment_id), max_size=max_size)
        return None if blob is None else blob.data

    async def contains(self, segment_id: int, max_size: int) -> bool:
        """Return whether a segment has a value; reads indexes, or one byte of the object, where it can.

        An object that a directory holds compressed, under another name, has no ranges: it is read whole.

        Raises:
            FormatError: An index breaks the format.
            StoreError: The bucket failed.
        """
        if self.shards is not None:
            return await self.shards.locate(segment_id, partial(self.describe, segment_id)) is not None
        key = self._key(segment_id)
        try:
            if await self._store.get_range(key, ByteRange(0, 1)) is not None:
                return True
        except FormatError:  # the object is empty
            return True
        return await self._store.get(key, max_size=max_size) is not None

    def _key(self, segment_id: int) -> str:
        name = f"{segment_id}{self._suffix}"
        return f"{self._directory}/{name}" if self._directory else name
