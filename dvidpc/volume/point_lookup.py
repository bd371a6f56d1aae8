"""Read the labels of single voxels, from chunks that stay undecoded where their encoding allows it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dvidpc.cache.loading_cache import MISSING, LoadingCache
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.grid import Grid
from dvidpc.formats.precomputed.label_chunk import LabelChunk
from dvidpc.formats.precomputed.label_lookup import label_at, labels_of
from dvidpc.sources.base import ChunkSource
from dvidpc.tasks import gather_or_cancel
from dvidpc.types import ChunkCoord, Point
from dvidpc.volume.chunk_cache import CachedChunks

_MANY: Final = 64
"""Voxels of one chunk that are worth a trip to a thread."""
_AT_A_TIME: Final = 64
"""Chunks of one request that may be in flight."""


@dataclass(frozen=True, slots=True, eq=False)
class _Readable:
    """A chunk from which voxels can be read: the view of an encoded one, or its voxels `[z, y, x]`."""

    chunk: LabelChunk | Voxels

    @property
    def nbytes(self) -> int:
        is_fill = not isinstance(self.chunk, LabelChunk) and not any(self.chunk.strides)
        return 0 if is_fill else self.chunk.nbytes

    def read_one(self, voxel: Point) -> int:
        """Return the label of a position in the chunk."""
        if isinstance(self.chunk, LabelChunk):
            return label_at(self.chunk, voxel)
        return int(self.chunk[voxel.z, voxel.y, voxel.x])

    def read(self, voxels: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return the labels of positions in the chunk, one row x, y, z each."""
        if isinstance(self.chunk, LabelChunk):
            found = labels_of(self.chunk, voxels)
        else:
            x, y, z = voxels.T
            found = self.chunk[z, y, x]
        return found.astype(np.uint64, copy=False)


class LabelLookup:
    """Reads the labels of voxels of one scale.

    Args:
        copies: The scale's copies; a chunk that one does not store is read from the next.
        cache: Keeps chunks.
    """

    def __init__(self, copies: Sequence[CachedChunks], cache: LoadingCache) -> None:
        self._copies = copies
        self._cache = cache
        for copy in copies:
            copy.source.on_replaced(self.forget)

    async def label_at(self, point: Point) -> int:
        """Return the label of one voxel; otherwise as `labels_at`, and several times as fast."""
        for copy in self._copies:
            grid = copy.source.grid
            inside = zip(grid.box.start, point, grid.box.stop, strict=True)
            if not all(first <= at < stop for first, at, stop in inside):
                return 0
            steps = (divmod(at - o, n) for at, o, n in zip(point, grid.offset, grid.chunk_size, strict=True))
            cell, voxel = zip(*steps, strict=True)
            chunk = await self._chunk(ChunkCoord(*cell), copy)
            if chunk is not None:
                return chunk.read_one(Point(*voxel))
        return 0

    async def labels_at(self, points: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return the labels of *points*, one row x, y, z each; 0 where nothing is stored.

        Raises:
            FormatError: A chunk is damaged.
            StoreError: The bucket failed.
        """
        return await self._read(points, self._copies)

    def count_chunks(self, points: NDArray[np.int64]) -> int:
        """Return how many chunks `labels_at` would read from. Takes milliseconds for 10,000 points."""
        return len(_group(points, self._copies[0].source.grid))

    def forget(self) -> None:
        """Drop all cached chunks: the scale's content has been replaced."""
        identities = {copy.source.identity for copy in self._copies}
        self._cache.drop_where(
            lambda key: isinstance(key, tuple) and key[0] in identities and key[-1] == _LOOKUP
        )

    async def _read(self, points: NDArray[np.int64], copies: Sequence[CachedChunks]) -> NDArray[np.uint64]:
        labels = np.zeros(len(points), np.uint64)
        if not copies:
            return labels
        grid = copies[0].source.grid
        find = partial(_group, points, grid)
        groups = find() if len(points) < _MANY else await copies[0].in_pool(find)
        turns = asyncio.Semaphore(_AT_A_TIME)

        async def read_cell(cell: ChunkCoord, group: NDArray[np.intp]) -> None:
            async with turns:
                chunk = await self._chunk(cell, copies[0])
            if chunk is None:
                labels[group] = await self._read(points[group], copies[1:])
                return
            read = partial(chunk.read, (points[group] - grid.offset) % grid.chunk_size)
            labels[group] = read() if len(group) < _MANY else await copies[0].in_pool(read)

        await gather_or_cancel(read_cell(cell, group) for cell, group in groups)
        return labels

    async def _chunk(self, cell: ChunkCoord, chunks: CachedChunks) -> _Readable | None:
        key = (chunks.source.identity, cell, _LOOKUP)
        found = self._cache.peek(key)
        if found is MISSING:
            found = await self._cache.get_or_load(key, partial(self._load, cell, chunks))
        assert found is None or isinstance(found, _Readable)
        return found

    async def _load(self, cell: ChunkCoord, chunks: CachedChunks) -> _Readable | None:
        data = await chunks.source.read(cell)
        return (
            _missing(chunks.source, cell)
            if data is None
            else await chunks.in_pool(partial(_open, chunks, cell, data))
        )


def _group(points: NDArray[np.int64], grid: Grid) -> list[tuple[ChunkCoord, NDArray[np.intp]]]:
    """Return the chunks in which *points* lie, each with the numbers of its points."""
    inside = np.flatnonzero(((points >= grid.box.start) & (points < grid.box.stop)).all(axis=1))
    if not len(inside):
        return []
    cells = (points[inside] - grid.offset) // grid.chunk_size
    order = np.lexsort(cells.T)
    cells = cells[order]
    changes = np.flatnonzero((cells[1:] != cells[:-1]).any(axis=1)) + 1
    firsts = cells[np.concatenate([[0], changes])].tolist()
    numbers = np.split(inside[order], changes)
    return [(ChunkCoord(*cell), group) for cell, group in zip(firsts, numbers, strict=True)]


def _open(chunks: CachedChunks, cell: ChunkCoord, data: bytes) -> _Readable:
    chunk = chunks.source.label_chunk(cell, data)
    return _Readable(chunks.source.decode(cell, data)[0] if chunk is None else chunk)


def _missing(source: ChunkSource, cell: ChunkCoord) -> _Readable | None:
    """Return a chunk that is not stored; None if its voxels are 0 or nothing at all."""
    if not source.fill:
        return None
    shape = source.shape_of(cell)
    return _Readable(np.broadcast_to(np.array(source.fill, shape.dtype), shape.czyx)[0])


_LOOKUP: Final = "lookup"
"""Marks the keys of this module in the cache."""
