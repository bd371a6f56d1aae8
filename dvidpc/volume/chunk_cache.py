"""Cache the decoded chunks of one source, so that each is read and decoded once for all requests."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Final, TypeVar

from dvidpc.cache.held import Hold
from dvidpc.cache.loading_cache import LoadingCache, Missing
from dvidpc.formats.data_types import Voxels
from dvidpc.sources.base import ChunkSource
from dvidpc.types import ChunkCoord
from dvidpc.volume.label_view import LabelView

T = TypeVar("T")

_VIEW: Final = "view"
"""Marks the keys of views in the cache."""


class CachedChunks:
    """Reads the chunks of a source and decodes them off the event loop.

    Args:
        source: Reads and decodes.
        cache: Keeps decoded chunks; may serve many sources.
        pool: Runs decoding.
    """

    def __init__(self, source: ChunkSource, cache: LoadingCache, pool: Executor) -> None:
        self.source = source
        shape = source.shape_of(ChunkCoord(0, 0, 0))
        self.has_views: Final = shape.label_block is not None and shape.num_channels == 1
        """Whether `fetch_view` returns chunks that are not decoded."""
        self._identity = source.identity
        self._cache = cache
        self._pool = pool

    async def fetch(self, cell: ChunkCoord, hold: Hold) -> Voxels | None:
        """Return the decoded chunk and keep it for the next caller; None if it is not stored.

        Raises:
            FormatError: It is damaged.
            StoreError: The bucket failed.
        """
        key = (self._identity, cell)
        return await hold.get_or_load(key, lambda: self._cache.get_or_load(key, lambda: self.load(cell)))

    def peek(self, cell: ChunkCoord) -> Voxels | Missing | None:
        """Return what `fetch` would if it is cached; otherwise `MISSING`."""
        voxels: Voxels | Missing | None = self._cache.peek((self._identity, cell))
        return voxels

    async def fetch_view(self, cell: ChunkCoord, hold: Hold | None = None) -> LabelView | None:
        """Return a chunk of labels as a view and keep it for the next caller; otherwise as `fetch`."""
        key = (self._identity, cell, _VIEW)
        if hold is None:
            return await self._cache.get_or_load(key, lambda: self.load_view(cell))
        return await hold.get_or_load(key, lambda: self.fetch_view(cell))

    def peek_view(self, cell: ChunkCoord) -> LabelView | Missing | None:
        """Return what `fetch_view` would if it is cached; otherwise `MISSING`."""
        view: LabelView | Missing | None = self._cache.peek((self._identity, cell, _VIEW))
        return view

    async def load(self, cell: ChunkCoord) -> Voxels | None:
        """Read and decode a chunk without caching it; otherwise as `fetch`."""
        data = await self.source.read(cell)
        return None if data is None else await self.in_pool(partial(self.source.decode, cell, data))

    async def load_view(self, cell: ChunkCoord) -> LabelView | None:
        """Read a chunk of labels as a view without caching it; otherwise as `fetch_view`."""
        data = await self.source.read(cell)
        return None if data is None else await self.in_pool(partial(self._open_view, cell, data))

    async def in_pool(self, step: Callable[[], T]) -> T:
        """Run *step* off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, step)

    def forget(self) -> None:
        """Drop all cached chunks of the source: its content has been replaced."""
        identity = self._identity
        self._cache.drop_where(lambda key: isinstance(key, tuple) and key[0] == identity)

    def _open_view(self, cell: ChunkCoord, data: bytes) -> LabelView:
        chunk = self.source.label_chunk(cell, data)
        return LabelView(self.source.decode(cell, data)[0] if chunk is None else chunk)
