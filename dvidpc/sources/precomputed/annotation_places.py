"""Where lists of annotations lie, and what reading them takes."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeVar

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.formats.lattice import Cell
from dvidpc.formats.precomputed.annotation_info import Index
from dvidpc.formats.precomputed.sharding import DataEncoding
from dvidpc.sources.keys import resolve_key
from dvidpc.sources.precomputed.shard_indexes import bounds_for
from dvidpc.sources.precomputed.shard_reader import ShardReader
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.object_checks import name_object

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AnnotationTools:
    """Caches, threads and limits."""

    indexes: LoadingCache
    """Keeps indexes of shards."""
    prepared: LoadingCache
    """Keeps lists as `Rows`."""
    pool: Executor
    """Decodes and encodes."""
    max_cells: int = 4096
    """The most cells of the spatial index that one request reads."""
    max_annotations: int = 1_000_000
    """The most annotations that one request decodes."""
    max_response: int = 512 * 2**20
    """The most bytes of an answer that is not streamed."""

    async def run(self, step: Callable[[], T]) -> T:
        """Run *step* off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, step)


class ListKey(NamedTuple):
    """Which list."""

    place: int
    """Which index: levels come first, then relationships."""
    number: int
    """The cell's Morton code, or the id of the related object."""
    cell: Cell | None = None
    """None: it is the list of a related object."""

    @property
    def name(self) -> str:
        """The name of the list's object, if the index is not sharded."""
        return str(self.number) if self.cell is None else "_".join(map(str, self.cell))


class ListPlace:
    """One index: where its lists lie."""

    def __init__(
        self, store: ObjectStore, directory: str, index: Index, max_ids: int, indexes: LoadingCache
    ) -> None:
        self._store = store
        self._directory = resolve_key(directory, index.key)
        self.shards = (
            None
            if index.sharding is None
            else ShardReader(store, self._directory, index.sharding, bounds_for(max_ids), indexes)
        )

    def describe(self, key: ListKey) -> str:
        """Return a list's name for messages."""
        if self.shards is None:
            return name_object(self._store.url, self._path(key))
        return f"{self.shards.shard_of(key.number)} id {key.number}"

    async def read(self, key: ListKey, max_size: int) -> bytes | None:
        """Return the bytes of a list; None if there is none."""
        if self.shards is not None:
            blob = await self.shards.read(key.number, max_size, partial(self.describe, key))
        else:
            blob = await self._store.get(self._path(key), max_size=max_size)
        return None if blob is None else blob.data

    @property
    def tells_sizes(self) -> bool:
        """Whether the size of a list is known without reading it: lists are in shards, not compressed."""
        return self.shards is not None and self.shards.spec.data_encoding is DataEncoding.RAW

    async def stored_size(self, key: ListKey) -> int:
        """Return the bytes of a list without reading it, 0 if there is none; only if `tells_sizes`."""
        assert self.shards is not None
        stored = await self.shards.locate(key.number, partial(self.describe, key))
        return 0 if stored is None else stored.where.size

    def _path(self, key: ListKey) -> str:
        return f"{self._directory}/{key.name}" if self._directory else key.name
