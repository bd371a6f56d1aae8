"""A store that keeps what it has read in memory, in place of the disk cache, and what stands around it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.sources.base import ChunkSource, SourceTools
from dvidpc.sources.isolation import Isolation
from dvidpc.storage.base import Blob, ObjectStore
from dvidpc.storage.coalesce import CoalescingStore
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange
from dvidpc.warm.metered_stores import MeteredStore, note_asked, note_given
from tests.opened import SETTINGS, load_plan
from tests.segments import MemoryStore
from tests.waiting import Clock


class RememberingStore:
    """Reads from another store what it has not read before; keeps no absence, and no metadata.

    Args:
        store: What is read from.
        kept: What is kept already; may be shared.
    """

    def __init__(self, store: ObjectStore, kept: dict[tuple[str, object], Blob]) -> None:
        self._store = store
        self._kept = kept
        self.url = store.url
        self.identity = store.identity
        self.oddity = None

    def on_retracted(self, callback: Callable[[], None]) -> None:
        """As the underlying store."""
        self._store.on_retracted(callback)

    async def get(self, key: str, *, max_size: int, is_metadata: bool = False) -> Blob | None:
        if is_metadata:
            return await self._store.get(key, max_size=max_size, is_metadata=True)
        if (key, None) not in self._kept:
            return self._keep((key, None), await self._store.get(key, max_size=max_size))
        return self._kept[key, None]

    async def get_range(
        self, key: str, byte_range: ByteRange, *, version: Version | None = None
    ) -> Blob | None:
        if (key, byte_range) not in self._kept:
            blob = await self._store.get_range(key, byte_range, version=version)
            return self._keep((key, byte_range), blob)
        return self._kept[key, byte_range]

    async def get_tail(self, key: str, size: int) -> Blob | None:
        if (key, -size) not in self._kept:
            return self._keep((key, -size), await self._store.get_tail(key, size))
        return self._kept[key, -size]

    async def close(self) -> None:
        await self._store.close()

    def _keep(self, part: tuple[str, object], blob: Blob | None) -> Blob | None:
        if blob is not None:
            self._kept[part] = blob
        return blob


@dataclass
class Rig:
    """A volume in memory, as a prefetch reads it, without a bucket and a disk."""

    bucket: MemoryStore
    kept: dict[tuple[str, object], Blob] = field(default_factory=dict)

    async def open(self, level: int = 0) -> Sequence[ChunkSource]:
        """Return the copies of a scale, opened anew: no index is in memory."""
        below = MeteredStore(CoalescingStore(self.bucket), note_asked)
        store = MeteredStore(RememberingStore(below, self.kept), note_given)
        indexes = LoadingCache(2**26, absence_ttl_s=10, clock=Clock())
        plan = await load_plan(store, SETTINGS)
        return plan.scales[level].stored.open(store, SourceTools(indexes, Isolation()))


def rig_of(directory: Path) -> Rig:
    """Return the volume in *directory*."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return Rig(MemoryStore({str(path.relative_to(directory)): path.read_bytes() for path in files}))
