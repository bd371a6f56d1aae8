"""A store that keeps what it reads on disk."""

import posixpath
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from cachetools import LRUCache

from dvidpc.cache.disk.entries import Entry, Found, Part, encode_version, name_part, object_of, start_name
from dvidpc.cache.disk.freshness import Use, choose_use, may_stand_in, proves
from dvidpc.cache.loading_cache import MISSING, LoadingCache
from dvidpc.counters import TALLY
from dvidpc.errors import FormatError, ObjectChangedError, StoreError, StoreRefusedError
from dvidpc.storage.base import Blob, ObjectStore
from dvidpc.storage.object_checks import name_object, undo_encoding
from dvidpc.storage.ref import METADATA_FILES
from dvidpc.storage.store_above import StoreAbove
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange

if TYPE_CHECKING:
    from dvidpc.cache.disk.disk_cache import DiskCache

_Ask: TypeAlias = Callable[[], Awaitable[Blob | None]]
"""Reads from the bucket."""

_MEMO_BYTES: Final = 8 * 2**20
"""Weight of the comparisons that are remembered: about nine thousand."""
_MOST_CHANGED: Final = 10_000
"""Replaced objects that are remembered until their entries are deleted."""
_CONFIRM_S: Final = 60.0
"""How often it is written down that metadata has not changed."""


@dataclass(frozen=True, slots=True)
class _Confirmed:
    """When the bucket said that an object had not changed."""

    at: float
    nbytes = 0


def _is_document(key: str) -> bool:
    """Return whether an object describes others, so that the bucket's is needed."""
    return posixpath.basename(key) in METADATA_FILES


class CachedStore(StoreAbove):
    """An `ObjectStore` that answers from a disk cache, and writes to it what it reads from another store.

    Bytes of a version that the caller names are served however old they are. Others are served for half an
    hour; then the bucket is asked whether the object has changed. Metadata is always read from the bucket. If
    the bucket fails, bytes that are not too old are served nevertheless.
    """

    def __init__(self, store: ObjectStore, cache: "DiskCache") -> None:
        super().__init__(store)
        self._cache = cache
        self._digest = start_name(store.identity)
        self._trusted_since = 0.0
        self._comparisons = LoadingCache(_MEMO_BYTES, absence_ttl_s=0, clock=cache.clock)
        self._changed: LRUCache[bytes, float] = LRUCache(_MOST_CHANGED)
        """When objects were found to have been replaced."""

    async def get(self, key: str, *, max_size: int, is_metadata: bool = False) -> Blob | None:
        """As `ObjectStore.get`."""

        def ask() -> Awaitable[Blob | None]:
            return self._store.get(key, max_size=max_size, is_metadata=is_metadata)

        name = self._name(key, None)
        found = await self._cache.look_up(name)
        if is_metadata or _is_document(key):
            return await self._read_document(key, found, ask, max_size, is_metadata=is_metadata)
        return await self._read(key, name, found, ask, max_size)

    async def get_range(
        self, key: str, byte_range: ByteRange, *, version: Version | None = None
    ) -> Blob | None:
        """As `ObjectStore.get_range`."""

        def ask() -> Awaitable[Blob | None]:
            return self._store.get_range(key, byte_range, version=version)

        if _is_document(key):
            return await ask()
        name = self._name(key, byte_range)
        found = await self._cache.look_up(name)
        if version is None:
            return await self._read(key, name, found, ask)
        if found is not None and proves(found.version, version):
            return self._hit(Blob(found.data, found.version))
        return await self._read_bucket(name, ask, found)

    async def get_tail(self, key: str, size: int) -> Blob | None:
        """As `ObjectStore.get_tail`."""
        if _is_document(key):
            return await self._store.get_tail(key, size)
        name = self._name(key, size)
        found = await self._cache.look_up(name)
        return await self._read(key, name, found, lambda: self._store.get_tail(key, size))

    def _name(self, key: str, part: Part) -> bytes:
        return name_part(self._digest, key, part)

    async def _read(
        self, key: str, name: bytes, found: Found | None, ask: _Ask, max_size: int | None = None
    ) -> Blob | None:
        """Return a part of an object of any version."""
        blob = None if found is None else await self._unpack(key, found, max_size)
        if found is None or blob is None or self._is_replaced(name, found):
            return await self._read_bucket(name, ask, found)
        current = self._confirmed_at(name, found)
        use = choose_use(
            found.version,
            current,
            now=self._cache.clock(),
            trusted_since=max(found.trusted_since, self._trusted_since),
        )
        if use is Use.SERVE:
            return self._hit(blob)
        try:
            if use is Use.COMPARE and await self._is_unchanged(key, name, found):
                return self._hit(blob)
            return await self._read_bucket(name, ask, found)
        except StoreError as error:
            if not self._may_stand_in(error, name, found):
                raise
            return self._stale(blob)

    async def _read_document(
        self, key: str, found: Found | None, ask: _Ask, max_size: int, *, is_metadata: bool
    ) -> Blob | None:
        """Return what describes other objects, from the bucket; from the disk only if the bucket fails."""
        name, started = self._name(key, None), self._cache.clock()
        try:
            blob = await ask()
        except StoreError as error:
            if found is None or not self._may_stand_in(error, name, found):
                raise
            old = await self._unpack(key, found, max_size)
            if old is None:
                raise
            return self._stale(old)
        if blob is None:
            if found is not None:
                self._forget(name)
        elif found is not None and proves(found.version, blob.version):
            if started - found.current > _CONFIRM_S:
                self._cache.confirm(name, started)
        else:
            if found is not None or is_metadata:  # it has changed, or what it was is not known any more
                self._trusted_since = self._cache.clock()
                self._cache.distrust(self.identity, self._trusted_since)
            self._put(name, blob, started)
        return blob

    async def _read_bucket(self, name: bytes, ask: _Ask, found: Found | None) -> Blob | None:
        """Read from the bucket and write it to the disk; *found* is what the disk has and cannot be used."""
        self._cache.counts.misses += 1
        started = self._cache.clock()
        try:
            blob = await ask()
        except ObjectChangedError:
            self._forget(name)
            raise
        if blob is None:
            if found is not None:
                self._forget(name)
        else:
            self._put(name, blob, started)
        return blob

    def _put(self, name: bytes, blob: Blob, current: float) -> None:
        """Write what was read from the bucket at *current*."""
        if current <= self._changed.get(object_of(name), -1.0):
            return
        try:
            version = encode_version(blob.version)
        except UnicodeEncodeError:  # a header of the bucket's answer that is not text
            return
        is_gzip = blob.gzip is not None
        data = blob.data if blob.gzip is None else blob.gzip
        self._cache.put(Entry(name, self.identity, blob.version, version, data, is_gzip, current))

    def _forget(self, name: bytes) -> None:
        """Forget an object that was replaced or deleted."""
        now = self._cache.clock()
        self._changed[object_of(name)] = now
        self._cache.forget(object_of(name), now)

    def _is_replaced(self, name: bytes, found: Found) -> bool:
        """Return whether the object is known to have been replaced after it was read."""
        return found.current <= self._changed.get(object_of(name), -1.0)

    def _confirmed_at(self, name: bytes, found: Found) -> float:
        """Return when bytes were last known to be the object's, be it by another part of it."""
        confirmed = self._comparisons.look((object_of(name), found.version))
        return found.current if confirmed is MISSING else max(found.current, confirmed.at)

    async def _is_unchanged(self, key: str, name: bytes, found: Found) -> bool:
        """Ask the bucket whether an object is still the same; callers for parts of it share a request.

        Raises:
            StoreError: The bucket failed.
        """
        share = self._comparisons.begin(
            (object_of(name), found.version), lambda: self._compare(key, name, found.version)
        )
        try:
            confirmed = await share.value()
        finally:
            share.give_up()
        if confirmed is None:
            return False
        self._cache.confirm(name, confirmed.at)
        return True

    async def _compare(self, key: str, name: bytes, version: Version) -> _Confirmed | None:
        """Read one byte of an object; return None if it is not proven to be *version* still."""
        started = self._cache.clock()
        try:
            blob = await self._store.get_range(key, ByteRange(0, 1), version=version)
        except ObjectChangedError:
            self._forget(name)
            return None
        except (FormatError, StoreRefusedError):
            return None
        if blob is None or not proves(version, blob.version):
            return None
        self._cache.counts.compared += 1
        return _Confirmed(started)

    async def _unpack(self, key: str, found: Found, max_size: int | None) -> Blob | None:
        """Return the bytes as the underlying store would; None if it must say why it cannot.

        Args:
            key: The object.
            found: A part of it.
            max_size: As for `get`; None for a part, which is not decompressed.
        """
        if max_size is None:
            return Blob(found.data, found.version)
        if len(found.data) > max_size:
            return None
        if not found.is_gzip:
            return Blob(found.data, found.version)
        try:
            name = name_object(self.url, key)
            data = await undo_encoding(name, found.data, "gzip", max_size=max_size)
        except FormatError:
            return None
        return Blob(data, found.version, found.data)

    def _may_stand_in(self, error: StoreError, name: bytes, found: Found) -> bool:
        """Return whether old bytes may be served instead of *error*."""
        if isinstance(error, ObjectChangedError | StoreRefusedError) or self._is_replaced(name, found):
            return False
        return may_stand_in(self._confirmed_at(name, found), now=self._cache.clock())

    def _hit(self, blob: Blob) -> Blob:
        self._cache.counts.hits += 1
        self._cache.counts.bytes_read += len(blob.data)
        TALLY.get().disk += 1
        return blob

    def _stale(self, blob: Blob) -> Blob:
        self._cache.counts.stale += 1
        TALLY.get().disk += 1
        return blob
