"""Read the labels of single voxels, from chunks that stay undecoded where their encoding allows it."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dvidpc.cache.loading_cache import MISSING
from dvidpc.formats.grid import Grid
from dvidpc.formats.precomputed.label_chunk import LabelChunk
from dvidpc.formats.precomputed.label_lookup import label_at, labels_of
from dvidpc.sources.base import ChunkSource
from dvidpc.tasks import gather_or_cancel
from dvidpc.types import ChunkCoord, Point
from dvidpc.volume.chunk_cache import CachedChunks
from dvidpc.volume.label_view import LabelView

_MANY: Final = 64
"""Voxels of one chunk that are worth a trip to a thread."""
_AT_A_TIME: Final = 64
"""Chunks of one request that may be in flight."""


class LabelLookup:
    """Reads the labels of voxels of one scale.

    Args:
        copies: The scale's copies; a chunk that one does not store is read from the next.
    """

    def __init__(self, copies: Sequence[CachedChunks]) -> None:
        self.copies = copies

    async def label_at(self, point: Point) -> int:
        """Return the label of one voxel; otherwise as `labels_at`, and several times as fast."""
        for copy in self.copies:
            grid = copy.source.grid
            inside = zip(grid.box.start, point, grid.box.stop, strict=True)
            if not all(first <= at < stop for first, at, stop in inside):
                return 0
            steps = (divmod(at - o, n) for at, o, n in zip(point, grid.offset, grid.chunk_size, strict=True))
            cell, voxel = zip(*steps, strict=True)
            view = await find_view(ChunkCoord(*cell), copy)
            if view is not None:
                return _label_of(view, Point(*voxel))
        return 0

    async def labels_at(self, points: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return the labels of *points*, one row x, y, z each; 0 where nothing is stored.

        Raises:
            FormatError: A chunk is damaged.
            StoreError: The bucket failed.
        """
        return await self._read(points, self.copies)

    def count_chunks(self, points: NDArray[np.int64]) -> int:
        """Return how many chunks `labels_at` would read from. Takes milliseconds for 10,000 points."""
        return len(_group(points, self.copies[0].source.grid))

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
                view = await find_view(cell, copies[0])
            if view is None:
                labels[group] = await self._read(points[group], copies[1:])
                return
            read = partial(_labels_of, view, (points[group] - grid.offset) % grid.chunk_size)
            labels[group] = read() if len(group) < _MANY else await copies[0].in_pool(read)

        await gather_or_cancel(read_cell(cell, group) for cell, group in groups)
        return labels


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


def _label_of(view: LabelView, voxel: Point) -> int:
    """Return the label of a position in a chunk."""
    if isinstance(view.chunk, LabelChunk):
        return label_at(view.chunk, voxel)
    return int(view.chunk[voxel.z, voxel.y, voxel.x])


def _labels_of(view: LabelView, voxels: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the labels of positions in a chunk, one row x, y, z each."""
    if isinstance(view.chunk, LabelChunk):
        found = labels_of(view.chunk, voxels)
    else:
        x, y, z = voxels.T
        found = view.chunk[z, y, x]
    return found.astype(np.uint64, copy=False)


async def find_view(cell: ChunkCoord, chunks: CachedChunks) -> LabelView | None:
    """Return a chunk; None if it is not stored, and its voxels are 0 or nothing at all."""
    view = chunks.peek_view(cell)
    found = await chunks.fetch_view(cell) if view is MISSING else view
    return _missing(chunks.source, cell) if found is None and chunks.source.fill else found


def _missing(source: ChunkSource, cell: ChunkCoord) -> LabelView:
    """Return a chunk that is not stored, but has a fill value; it takes no memory."""
    shape = source.shape_of(cell)
    return LabelView(np.broadcast_to(np.array(source.fill, shape.dtype), shape.czyx)[0])
