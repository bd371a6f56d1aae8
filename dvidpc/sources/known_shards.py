"""The shards whose indexes are known: reads parts of them, and forgets what is known of those replaced."""

from collections.abc import Callable, Hashable
from typing import Final

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import ObjectChangedError
from dvidpc.storage.base import Blob, ObjectStore
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange

OFF_LOOP_SIZE: Final = 256 * 1024
"""Bytes from which an index or a value is decoded in a thread: that takes about a millisecond."""


class KnownShards:
    """The shards of a store, for a reader that keeps their indexes under `key_of` in a cache.

    Args:
        store: Where the shards lie.
        indexes: Keeps their indexes; may serve many readers.
        name: Returns the name of a shard for messages.
    """

    def __init__(self, store: ObjectStore, indexes: LoadingCache, name: Callable[[str], str]) -> None:
        self._store = store
        self._indexes = indexes
        self._name = name
        self._on_replaced: list[Callable[[], None]] = []

    def on_replaced(self, callback: Callable[[], None]) -> None:
        """Have *callback* called whenever a shard turns out to have been replaced."""
        self._on_replaced.append(callback)

    def key_of(self, key: str, *part: Hashable) -> tuple[Hashable, ...]:
        """Return the key in the cache of a part of what is known of the shard at *key*."""
        return (self._store.identity, key, *part)

    async def read_part(self, key: str, where: ByteRange, version: Version) -> Blob:
        """Read a part of the shard whose index belongs to *version*, as stored.

        Raises:
            FormatError: The shard ends before the part does.
            ObjectChangedError: The shard was replaced or removed; its indexes are forgotten.
        """
        try:
            blob = await self._store.get_range(key, where, version=version)
        except ObjectChangedError:
            self.forget(key)
            raise
        if blob is None:
            self.forget(key)
            raise ObjectChangedError(f"{self._name(key)} is gone since its index was read")
        return blob

    def forget(self, key: str) -> None:
        """Forget the indexes of a shard that was replaced, and tell everybody."""
        shard = self.key_of(key)
        self._indexes.drop_where(lambda cached: isinstance(cached, tuple) and cached[:2] == shard)
        for callback in self._on_replaced:
            callback()

    def forget_all(self) -> None:
        """Forget every index of the store: shards that were reported missing may exist after all."""
        identity = self._store.identity
        self._indexes.drop_where(lambda cached: isinstance(cached, tuple) and cached[0] == identity)
