"""Reads values by id out of shards; keeps the indexes that tell where the values lie."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import FormatError, ObjectChangedError, OversizeError
from dvidpc.formats.precomputed.sharding import DataEncoding, MinishardIndex, ShardingSpec
from dvidpc.sources.known_shards import OFF_LOOP_SIZE, KnownShards
from dvidpc.sources.precomputed import shard_indexes
from dvidpc.sources.precomputed.shard_indexes import PAGE_ENTRIES, IndexBounds
from dvidpc.storage.base import Blob, ObjectStore
from dvidpc.storage.content_encoding import decode_content, gzip_of
from dvidpc.storage.object_checks import name_object
from dvidpc.storage.versions import Comparison, Version, compare
from dvidpc.types import ByteRange


@dataclass(frozen=True, slots=True)
class _IndexPage:
    """Some entries of a shard index, and the version of the object they describe."""

    entries: bytes
    version: Version

    @property
    def nbytes(self) -> int:
        return len(self.entries)


@dataclass(frozen=True, slots=True)
class _Minishard:
    """A minishard index, and the version of the object it describes."""

    index: MinishardIndex
    version: Version

    @property
    def nbytes(self) -> int:
        return self.index.nbytes


class StoredValue(NamedTuple):
    """Where a value lies."""

    key: str
    """The shard."""
    where: ByteRange
    version: Version
    """The content of the shard that *where* belongs to."""


class ShardReader:
    """Reads the values of one sharded directory.

    Args:
        store: Where the shards lie.
        directory: Their directory in it.
        spec: How ids are distributed over shards.
        bounds: The most bytes a minishard index can have.
        indexes: Keeps shard and minishard indexes; may serve many readers.
    """

    def __init__(
        self,
        store: ObjectStore,
        directory: str,
        spec: ShardingSpec,
        bounds: IndexBounds,
        indexes: LoadingCache,
    ) -> None:
        self.spec = spec
        self._store = store
        self._directory = directory
        self._bounds = bounds
        self._indexes = indexes
        self._known = KnownShards(store, indexes, self._name)
        store.on_retracted(self._known.forget_all)

    def on_replaced(self, callback: Callable[[], None]) -> None:
        """Have *callback* called whenever a shard turns out to have been replaced."""
        self._known.on_replaced(callback)

    def shard_of(self, value_id: int) -> str:
        """Return the name, for messages, of the shard that a value belongs to."""
        return self._name(self._key(self.spec.locate(value_id).shard))

    async def read(self, value_id: int, max_size: int, describe: Callable[[], str]) -> Blob | None:
        """Return a value, decompressed; None if its shard does not hold it.

        Args:
            value_id: Which value.
            max_size: Bytes beyond which the value is surely damaged, before and after decompression.
            describe: Returns the name of the value for messages.

        Raises:
            FormatError: The shard breaks the format.
            OversizeError: The value has more than *max_size* bytes.
            StoreError: The bucket failed; whether the value is stored is not known.
        """
        try:
            return await self._read(value_id, max_size, describe)
        except ObjectChangedError:
            return await self._read(value_id, max_size, describe)

    async def locate(self, value_id: int, describe: Callable[[], str]) -> StoredValue | None:
        """Return where a value lies; None if its shard does not hold it.

        Raises:
            FormatError: The shard's indexes break the format.
            StoreError: The bucket failed.
        """
        shard, number = self.spec.locate(value_id)
        key = self._key(shard)
        minishard = await self._indexes.get_or_load(
            self._known.key_of(key, "minishard", number), lambda: self._load_minishard(key, number)
        )
        if minishard is None:
            return None
        try:
            where = minishard.index.find(value_id)
        except FormatError as error:
            raise type(error)(f"{describe()}: {error}") from error
        if where is None:
            return None
        if where.start < self.spec.shard_index_size:
            raise FormatError(f"{describe()}: minishard index puts it into the shard index")
        return StoredValue(key, where, minishard.version)

    async def read_located(self, stored: StoredValue, max_size: int, describe: Callable[[], str]) -> Blob:
        """Return the value that `locate` found, decompressed; arguments and errors as for `read`.

        Raises:
            ObjectChangedError: The shard was replaced or removed; its indexes are forgotten.
        """
        if not 0 < stored.where.size <= max_size:
            kind = OversizeError if stored.where.size else FormatError
            raise kind(f"{describe()}: minishard index gives it {stored.where.size} bytes")
        blob = await self.read_part(stored.key, stored.where, stored.version)
        if self.spec.data_encoding is not DataEncoding.GZIP:
            return blob
        try:
            if len(blob.data) < OFF_LOOP_SIZE:
                data = decode_content(blob.data, "gzip", max_size=max_size)
            else:
                data = await asyncio.to_thread(decode_content, blob.data, "gzip", max_size=max_size)
        except FormatError as error:
            self._check_fit(stored.key, stored.version, blob.version)
            raise type(error)(f"{describe()}: {error}") from error
        return Blob(data, blob.version, gzip_of(blob.data, "gzip", data))

    async def read_part(self, key: str, where: ByteRange, version: Version) -> Blob:
        """Read a part of the shard whose index belongs to *version*, as stored.

        Raises:
            FormatError: The shard ends before the part does.
            ObjectChangedError: The shard was replaced or removed; its indexes are forgotten.
        """
        return await self._known.read_part(key, where, version)

    async def _read(self, value_id: int, max_size: int, describe: Callable[[], str]) -> Blob | None:
        stored = await self.locate(value_id, describe)
        return None if stored is None else await self.read_located(stored, max_size, describe)

    async def _load_minishard(self, key: str, number: int) -> _Minishard | None:
        """Return the index of one minishard; None if there is no such shard, or the minishard is empty."""
        page, entry = divmod(number, PAGE_ENTRIES)
        entries = await self._indexes.get_or_load(
            self._known.key_of(key, "page", page), lambda: self._load_index_page(key, page)
        )
        if entries is None:
            return None
        found = entries.version
        try:
            where = shard_indexes.find_minishard(entries.entries, entry, self.spec, self._bounds)
            if where is None:
                return None
            blob = await self.read_part(key, where, entries.version)
            found = blob.version
            return _Minishard(await self._decode_index(blob.data), entries.version)
        except FormatError as error:
            self._check_fit(key, entries.version, found)
            hint = shard_indexes.find_compression(entries.entries) if page == 0 else ""
            raise FormatError(f"{self._name(key)} minishard {number}: {error}{hint}") from error

    async def _decode_index(self, data: bytes) -> MinishardIndex:
        if len(data) < OFF_LOOP_SIZE:
            return shard_indexes.decode_index(data, self.spec, self._bounds)
        return await asyncio.to_thread(shard_indexes.decode_index, data, self.spec, self._bounds)

    async def _load_index_page(self, key: str, page: int) -> _IndexPage | None:
        """Return a page of a shard's index; None if there is no such shard."""
        blob = await shard_indexes.read_page(self._store, key, page, self.spec)
        known = self._indexes.last_known(self._known.key_of(key, "page", page))
        if isinstance(known, _IndexPage) and (blob is None or not _is_same_shard(known, blob)):
            self._known.forget(key)
        return None if blob is None else _IndexPage(blob.data, blob.version)

    def _check_fit(self, key: str, known: Version, found: Version) -> None:
        """Take a part that its index does not fit for a part of another shard, unless the etags are equal.

        Raises:
            ObjectChangedError: They differ; the shard's indexes are forgotten.
        """
        if compare(known, found) is Comparison.SAME_BUT_ETAG:
            self._known.forget(key)
            raise ObjectChangedError(f"{self._name(key)} was replaced: its index does not fit any more")

    def _name(self, key: str) -> str:
        return name_object(self._store.identity, key)

    def _key(self, shard: int) -> str:
        name = self.spec.shard_name(shard)
        return f"{self._directory}/{name}" if self._directory else name


def _is_same_shard(known: _IndexPage, blob: Blob) -> bool:
    """Return whether a page that was read again belongs to the same shard as before."""
    match compare(known.version, blob.version):
        case Comparison.SAME:
            return True
        case Comparison.SAME_BUT_ETAG:
            return known.entries == blob.data
        case Comparison.REPLACED:
            return False
