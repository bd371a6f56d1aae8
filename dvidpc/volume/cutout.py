"""Cut boxes of any size out of a scale, in bounded memory."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Iterable, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, Final, TypeVar

import numpy as np

from dvidpc.cache.loading_cache import MISSING, Missing
from dvidpc.formats.assembly import piece_of
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.grid import Box
from dvidpc.formats.images import pixels_of
from dvidpc.formats.slabs import cuts_chunks, slabs_of
from dvidpc.tasks import abandon
from dvidpc.types import ChunkCoord
from dvidpc.volume.block_making import Found, voxels_of
from dvidpc.volume.grid_store import GridStore
from dvidpc.volume.label_view import LabelView

SLAB_NBYTES = 64 * 2**20
"""Bytes of a box that are assembled at a time; as many again may wait to be sent."""

_THIN_SLAB_NBYTES = 32 * 2**20
"""The same for a box of which a layer of chunks exceeds SLAB_NBYTES, so that slabs cut chunks anyway. Memory
of this size is reused by malloc, which takes larger areas from the system each time."""

WIDE_SLAB_NBYTES = 256 * 2**20
"""The same for a box so wide that its chunks cannot be cached from one slab to the next, so that each is read
once for every slab it lies in; then only one slab exists at a time."""

PART_NBYTES = 2**20
"""Bytes that are sent at a time; what the connection has not taken yet is copied."""

_LOOK_AHEAD_NBYTES = 32 * 2**20
"""Bytes of decoded chunks of one request that may be in flight; at least two chunks, at most 64."""

_BATCH_NBYTES = 4 * 2**20
"""Bytes of chunks that are worth a trip to a thread."""

_BATCH_CHUNKS = 256
"""Chunks handled between two such trips, so that the event loop can serve other requests."""

_THICK: Final = 8
"""Voxels along each edge from which a box of labels is cut out of views, which decodes no more than it needs.
Slices of a stack need the same chunks again and again, so those are decoded once and cached."""

Batch = list[tuple[ChunkCoord, Voxels]]
C = TypeVar("C")


async def stream_box(grid: GridStore, box: Box) -> AsyncGenerator[memoryview, None]:
    """Yield the voxels of *box* in parts: x fastest, little-endian, zero where nothing is stored.

    Args:
        grid: Which scale.
        box: Which voxels; not empty.

    Raises:
        FormatError: A chunk is damaged.
        StoreError: The bucket failed.
    """
    is_wide = _is_wide(grid, box)
    max_nbytes = WIDE_SLAB_NBYTES if is_wide else _slab_nbytes(grid, box)
    slabs = slabs_of(box, grid.grid, max_nbytes // voxel_nbytes(grid))
    current = _start(grid, box, slabs)
    following = None
    try:
        while current is not None:
            voxels = await current
            if not is_wide:
                following = _start(grid, box, slabs)
            for start in range(0, len(voxels), PART_NBYTES):
                yield voxels[start : start + PART_NBYTES]
            del voxels
            current = _start(grid, box, slabs) if is_wide else following
    finally:
        await abandon([task for task in (current, following) if task is not None])


async def read_box(grid: GridStore, box: Box, whole: Box | None = None) -> Voxels | None:
    """Return the voxels of *box*, `[c, z, y, x]`, zero where no chunk reaches; None if none is stored.

    Args:
        grid: Which scale.
        box: Which voxels; not empty.
        whole: The box that *box* is a slab of, if the other slabs are read next.

    Raises:
        FormatError: A chunk is damaged.
        StoreError: The bucket failed.
    """
    keep = _is_worth_keeping(grid, whole or box, box)
    cells = grid.grid.chunks_touching(box)
    views = grid.views if min(box.size) >= _THICK else None
    target: Voxels | None = None
    placed: set[ChunkCoord] = set()
    batches: AsyncGenerator[Sequence[tuple[ChunkCoord, Voxels | LabelView]], None]
    if views is None:
        batches = read_chunks(grid, cells, keep=keep)
    else:
        read = views.fetch_view if keep else views.load_view
        batches = _read_ahead(cells, views.peek_view, read, grid.chunk_shape.nbytes)
    async with aclosing(batches):
        async for batch in batches:
            if target is None:
                target = _unwritten(grid, box)
            await grid.in_pool(partial(_place, grid, box, batch, target))
            placed.update(cell for cell, _ in batch)
    if target is not None and len(placed) < grid.grid.count_chunks_touching(box):
        await grid.in_pool(partial(_clear_all_but, placed, grid, box, target))
    return target


def _unwritten(grid: GridStore, box: Box) -> Voxels:
    """Return a box in the layout of `read_box`, zero where it lies outside the volume.

    Clearing voxels that are written next would take a fifth as long as copying them.
    """
    if box.intersection(grid.grid.box) != box:
        return zeros(grid, box)
    shape = grid.chunk_shape._replace(size=box.size)
    return np.empty(shape.czyx, shape.dtype)


def _clear_all_but(placed: Collection[ChunkCoord], grid: GridStore, box: Box, target: Voxels) -> None:
    for cell in grid.grid.chunks_touching(box):
        if cell not in placed:
            target[:, *piece_of(grid.grid, cell, box).target_zyx] = 0


def zeros(grid: GridStore, box: Box) -> Voxels:
    """Return a box of zeros in the layout of `read_box`; it takes no memory until it is written to."""
    shape = grid.chunk_shape._replace(size=box.size)
    return np.zeros(shape.czyx, shape.dtype)


def voxel_nbytes(grid: GridStore) -> int:
    """Return the bytes of a voxel as it is sent: three channels gain an alpha."""
    shape = grid.chunk_shape
    return (4 if shape.num_channels == 3 else shape.num_channels) * shape.data_type.itemsize


async def read_chunks(
    grid: GridStore, cells: Iterable[ChunkCoord], *, keep: bool = True
) -> AsyncGenerator[Batch, None]:
    """Yield the stored chunks, decoded, in the order of *cells*, in batches worth a trip to a thread.

    Raises:
        FormatError: A chunk is damaged.
        StoreError: The bucket failed.
    """
    read = partial(grid.read_chunk, keep=keep)
    batches = _read_ahead(cells, grid.peek_chunk, read, grid.chunk_shape.nbytes)
    async with aclosing(batches):
        async for batch in batches:
            yield batch


async def _read_ahead(
    cells: Iterable[ChunkCoord],
    peek: Callable[[ChunkCoord], C | Missing | None],
    read: Callable[[ChunkCoord], Coroutine[Any, Any, C | None]],
    chunk_nbytes: int,
) -> AsyncGenerator[list[tuple[ChunkCoord, C]], None]:
    """Yield stored chunks as *peek* or *read* return them; otherwise as `read_chunks`.

    Args:
        cells: Which chunks.
        peek: Returns a chunk if it is cached.
        read: Reads one that is not.
        chunk_nbytes: Bytes of a decoded chunk.
    """
    look_ahead = max(2, min(64, _LOOK_AHEAD_NBYTES // chunk_nbytes))
    batch_size = max(1, min(_BATCH_CHUNKS, -(-_BATCH_NBYTES // chunk_nbytes)))
    batch: list[tuple[ChunkCoord, C]] = []
    passed = 0
    window: deque[tuple[ChunkCoord, C | asyncio.Task[C | None] | None]] = deque()
    waiting = iter(cells)
    try:
        while True:
            while len(window) < look_ahead and (cell := next(waiting, None)) is not None:
                found = peek(cell)
                window.append((cell, asyncio.ensure_future(read(cell)) if found is MISSING else found))
            if not window:
                break
            cell, pending = window.popleft()
            chunk = await pending if isinstance(pending, asyncio.Task) else pending
            if chunk is None:
                passed += 1
                if passed % _BATCH_CHUNKS == 0:
                    await asyncio.sleep(0)
                continue
            batch.append((cell, chunk))
            if len(batch) >= batch_size:
                yield batch
                batch = []
        if batch:
            yield batch
    finally:
        await abandon(pending for _, pending in window if isinstance(pending, asyncio.Task))


def _start(grid: GridStore, box: Box, slabs: Iterator[Box]) -> "asyncio.Task[memoryview] | None":
    slab = next(slabs, None)
    return None if slab is None else asyncio.ensure_future(_load_slab(grid, box, slab))


async def _load_slab(grid: GridStore, box: Box, slab: Box) -> memoryview:
    voxels = await read_box(grid, slab, box)
    if voxels is None:
        voxels = zeros(grid, slab)
    return await grid.in_pool(partial(listed, voxels))


def _is_worth_keeping(grid: GridStore, box: Box, slab: Box) -> bool:
    """Whether to cache the chunks of *slab*, because *box* is small or its next slab needs them again.

    Chunks that do not fit would only evict what other requests use.
    """
    needed = slab if cuts_chunks(slab, box, grid.grid) else box
    return grid.grid.count_chunks_touching(needed) * grid.chunk_shape.nbytes <= grid.cache_nbytes // 2


def _slab_nbytes(grid: GridStore, box: Box) -> int:
    layer_nbytes = box.size.x * box.size.y * grid.grid.chunk_size.z * voxel_nbytes(grid)
    return SLAB_NBYTES if layer_nbytes <= SLAB_NBYTES else _THIN_SLAB_NBYTES


def _is_wide(grid: GridStore, box: Box) -> bool:
    layer = Box(box.start, box.stop._replace(z=min(box.stop.z, box.start.z + grid.grid.chunk_size.z)))
    return grid.grid.count_chunks_touching(layer) * grid.chunk_shape.nbytes > grid.cache_nbytes // 2


def _place(
    grid: GridStore, box: Box, batch: Sequence[tuple[ChunkCoord, Voxels | LabelView]], target: Voxels
) -> None:
    for cell, chunk in batch:
        piece = piece_of(grid.grid, cell, box)
        target[:, *piece.target_zyx] = voxels_of(Found(piece, chunk))


def listed(voxels_czyx: Voxels) -> memoryview:
    """Return the bytes of *voxels_czyx* in DVID's order; for one channel without copying."""
    channels, depth, height, width = voxels_czyx.shape
    if channels > 1:
        voxels_czyx = pixels_of(voxels_czyx.reshape(channels, depth * height, width))
    return voxels_czyx.reshape(-1).view(np.uint8).data
