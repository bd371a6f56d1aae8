"""A store that reads from another one: what all of these pass on."""

from collections.abc import Callable

from dvidpc.storage.base import Blob, ObjectStore
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange


class StoreAbove:
    """An `ObjectStore` that passes everything on to *store*, but for what a subclass changes."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @property
    def url(self) -> str:
        """That of the store below."""
        return self._store.url

    @property
    def identity(self) -> str:
        """That of the store below."""
        return self._store.identity

    @property
    def oddity(self) -> str | None:
        """That of the store below."""
        return self._store.oddity

    def on_retracted(self, callback: Callable[[], None]) -> None:
        """As the store below."""
        self._store.on_retracted(callback)

    async def get(self, key: str, *, max_size: int, is_metadata: bool = False) -> Blob | None:
        """As the store below."""
        return await self._store.get(key, max_size=max_size, is_metadata=is_metadata)

    async def get_range(
        self, key: str, byte_range: ByteRange, *, version: Version | None = None
    ) -> Blob | None:
        """As the store below."""
        return await self._store.get_range(key, byte_range, version=version)

    async def get_tail(self, key: str, size: int) -> Blob | None:
        """As the store below."""
        return await self._store.get_tail(key, size)

    async def close(self) -> None:
        """Close the store below."""
        await self._store.close()
