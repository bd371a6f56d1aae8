"""The grid store assembles whole blocks of one scale from stored chunks."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np

from dvidpc.cache.flights import Share
from dvidpc.cache.held import Hold
from dvidpc.cache.loading_cache import MISSING, LoadingCache, Missing
from dvidpc.formats.assembly import BlockLayout, Piece, pieces_of
from dvidpc.formats.codec import ChunkShape
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.grid import Box, Grid, block_box
from dvidpc.formats.payloads import Payload
from dvidpc.sources.base import StoredChunk
from dvidpc.tasks import gather_or_cancel
from dvidpc.types import BlockCoord, ChunkCoord, Point
from dvidpc.volume.block_making import Found, assemble_pieces, make_from_chunk, make_from_pieces
from dvidpc.volume.chunk_cache import CachedChunks
from dvidpc.volume.fill import fill_of

T = TypeVar("T")


class GridStore:
    """Fetches blocks of one scale and caches the payloads.

    Blocks are cubes counted from the origin of absolute coordinates. A block that no stored chunk
    touches is absent; a block that chunks touch in part is padded with zeros. Where the source has a fill
    value other than 0, missing chunks hold it, and no block inside the volume is absent.

    Args:
        copies: The scale's copies, each complete on its own. Chunks that are missing in one are read from
            the next, so the copy that needs the fewest reads should come first.
        layout: What a block holds for each voxel.
        payloads: How blocks can be written, the default first.
        block_size: Extent of a block along x, y and z, in voxels.
        cache: Keeps payloads; may serve many grid stores.
        held: Keeps decoded chunks for in-flight requests.
    """

    def __init__(
        self,
        copies: Sequence[CachedChunks],
        layout: BlockLayout,
        payloads: tuple[Payload, ...],
        block_size: Point,
        cache: LoadingCache,
        held: LoadingCache,
    ) -> None:
        self._copies = copies
        self._source = copies[0].source
        self._layout = layout
        self._block_size = block_size
        self._cache = cache
        self._held = held
        self._identity = f"{self._source.identity} {block_size} {layout.channel}"
        for copy in copies:
            copy.source.on_replaced(self.forget)
        shape = self._source.shape_of(ChunkCoord(0, 0, 0))._replace(size=self._source.grid.chunk_size)
        self._chunk_shape = shape if layout.channel is None else shape._replace(num_channels=1)
        self._payloads = payloads
        self._is_alone = shape.num_channels == 1 or layout.channel is None
        self._fill = fill_of(self._source, layout) if len(copies) == 1 else None
        stored = self._source.stored_payload
        self._as_stored = stored if stored in self._payloads and self._fill is None else None

    @property
    def grid(self) -> Grid:
        """The lattice of the scale's chunks."""
        return self._source.grid

    @property
    def block_size(self) -> Point:
        """Extent of a block along x, y and z, in voxels."""
        return self._block_size

    @property
    def chunk_shape(self) -> ChunkShape:
        """The shape that `read_chunk` returns, for a chunk that is not clipped."""
        return self._chunk_shape

    @property
    def views(self) -> CachedChunks | None:
        """Chunks of labels that can be read as views; None if they must be decoded, or are several copies."""
        chunks = self._copies[0]
        return chunks if chunks.has_views and len(self._copies) == 1 else None

    @property
    def cache_nbytes(self) -> int:
        """The byte budget of the cache that all grid stores share."""
        return self._cache.max_bytes

    @property
    def block_nbytes(self) -> int:
        """Bytes of an uncompressed payload."""
        x, y, z = self._block_size
        return x * y * z * self._layout.num_values * self._layout.dtype.itemsize

    @property
    def default_payload(self) -> Payload:
        """The encoding of blocks if a client does not choose one."""
        return self._payloads[0]

    def can_encode(self, payload: Payload) -> bool:
        """Whether blocks of this scale can be encoded as *payload*."""
        return payload in self._payloads

    def hold(self) -> Hold:
        """Return a new hold for one request, which closes it at its end."""
        return Hold(self._held)

    def peek(self, block: BlockCoord, payload: Payload) -> bytes | Missing | None:
        """Return what `fetch` would if it is cached, and count a hit; otherwise `MISSING`."""
        data: bytes | Missing | None = self._cache.peek((self._identity, block, payload.name))
        return data

    def peek_all(
        self, blocks: Sequence[BlockCoord], payload: Payload, max_bytes: int
    ) -> list[tuple[BlockCoord, bytes]] | None:
        """Return the blocks that are present with their payloads, if everything is cached.

        Args:
            blocks: Which blocks; absent ones are left out.
            payload: How they are written.
            max_bytes: Most bytes of payloads.

        Returns:
            None, with no hit counted, if a block is not cached or there are more than *max_bytes*.
        """
        identity, name, look = self._identity, payload.name, self._cache.look
        found = []
        size = 0
        for block in blocks:
            data = look((identity, block, name))
            if data is MISSING:
                return None
            if data is not None:
                found.append((block, data))
                size += len(data)
                if size > max_bytes:
                    return None
        self._cache.note_hits(len(blocks))
        return found

    async def fetch(self, block: BlockCoord, payload: Payload) -> bytes | None:
        """Return the payload of a block; None if no stored chunk touches it.

        Raises:
            FormatError: A chunk it needs is damaged.
            StoreError: The bucket failed to deliver a chunk it needs.
        """
        data = self.peek(block, payload)
        if data is not MISSING:
            return data
        hold = self.hold()
        share = self.begin(block, payload, hold)
        if share is None:
            return None
        try:
            return await share.value()
        finally:
            share.give_up()
            hold.close()

    def begin(self, block: BlockCoord, payload: Payload, hold: Hold) -> Share[bytes | None] | None:
        """Start to load a block that `peek` did not find; None if no chunk can touch it.

        Args:
            block: Which block.
            payload: How it is written.
            hold: Decoded chunks of the same request.

        Returns:
            A share in what `fetch` returns or raises.
        """
        key = (self._identity, block, payload.name)
        if payload is self._as_stored and len(self._copies) == 1:
            cell = self.grid.chunk_that_is(block, self._block_size)
            if cell is not None:
                return self._cache.begin(key, partial(self._source.read_stored, cell))
        box = block_box(block, self._block_size)
        if box.intersection(self.grid.box).is_empty:
            return None
        return self._cache.begin(key, partial(self._load, box, payload, hold))

    async def locate(self, box: Box) -> list[StoredChunk]:
        """Return where the chunks lie that touch *box*; of chunks in shards, only those that are stored.

        For a scale with several copies, those of the copy that is read first.

        Raises:
            FormatError: A shard's indexes break the format.
            StoreError: The bucket failed.
        """
        cells = self.grid.chunks_touching(box)
        found = await gather_or_cancel(self._source.locate(cell) for cell in cells)
        return [chunk for chunk in found if chunk is not None]

    def forget(self) -> None:
        """Drop everything cached of this scale, because its source has been replaced."""
        identity = self._identity
        self._cache.drop_where(lambda key: isinstance(key, tuple) and key[0] == identity)
        for copy in self._copies:
            copy.forget()

    def peek_chunk(self, cell: ChunkCoord) -> Voxels | Missing | None:
        """Return what `read_chunk` would if it is cached; otherwise `MISSING`."""
        voxels = self._copies[0].peek(cell)
        if voxels is None:
            return self._fill_chunk(cell) if len(self._copies) == 1 else MISSING
        return voxels if isinstance(voxels, Missing) else self._shown(voxels)

    async def read_chunk(self, cell: ChunkCoord, *, keep: bool = True) -> Voxels | None:
        """Return the voxels of a chunk, `[c, z, y, x]`, of the channels shown; None if it is not stored.

        Args:
            cell: Which chunk; must lie in the grid.
            keep: Whether to cache it. A chunk that is not needed again would only evict others.

        Raises:
            FormatError: The chunk is damaged.
            StoreError: The bucket failed to deliver it.
        """
        hold = self.hold()
        try:
            chunks = self._copies[0]
            voxels = await (chunks.fetch(cell, hold) if keep else chunks.load(cell))
            if voxels is not None:
                return self._shown(voxels)
            if len(self._copies) == 1:
                return self._fill_chunk(cell)
            box = self.grid.chunk_box(cell)
            found = await self._collect(box, self._copies[1:], hold)
        finally:
            hold.close()
        if not found:
            return self._fill_chunk(cell)
        layout = self._layout._replace(num_values=self.chunk_shape.num_channels)
        return np.moveaxis(await self.in_pool(partial(assemble_pieces, box, found, layout)), -1, 0)

    async def in_pool(self, step: Callable[[], T]) -> T:
        """Run *step*, which may be slow, in the thread pool."""
        return await self._copies[0].in_pool(step)

    def _shown(self, voxels: Voxels) -> Voxels:
        channel = self._layout.channel
        return voxels if channel is None else voxels[channel : channel + 1]

    def _fill_chunk(self, cell: ChunkCoord) -> Voxels | None:
        """Return what a chunk that is not stored holds; None if that is nothing."""
        return None if self._fill is None else self._shown(self._fill.chunk(cell))

    async def _fill_block(self, box: Box, payload: Payload) -> bytes | None:
        """Return a block of which no chunk is stored; None if it is absent."""
        return None if self._fill is None else await self.in_pool(partial(self._fill.payload, box, payload))

    async def _load(self, box: Box, payload: Payload, hold: Hold) -> bytes | None:
        copies = self._copies
        pieces = pieces_of(self.grid, box)
        if len(pieces) == 1 and pieces[0].is_whole_chunk and self._is_alone:
            data = await self._load_from_one(box, pieces[0], payload)
            if data is not None:
                return data
            copies = copies[1:]
        found = await self._collect(box, copies, hold) if copies else []
        if not found:
            return await self._fill_block(box, payload)
        if self._fill is not None:
            found = self._fill.complete(found, pieces)
        return await self.in_pool(partial(make_from_pieces, box, found, self._layout, payload))

    async def _load_from_one(self, box: Box, piece: Piece, payload: Payload) -> bytes | None:
        """Make a block from its only chunk, which no other block needs; None if it is not stored.

        Decoding and encoding share one trip to the pool.
        """
        if piece.box == box and payload is self._as_stored:
            return await self._source.read_stored(piece.cell)
        data = await self._source.read(piece.cell)
        if data is None:
            return None
        make = partial(make_from_chunk, self._source, box, piece, data, self._layout, payload)
        return await self.in_pool(make)

    async def _collect(self, box: Box, copies: Sequence[CachedChunks], hold: Hold) -> list[Found]:
        """Collect what the first of *copies* stores of *box*, and for its holes what the others store."""
        chunks = copies[0]
        pieces = pieces_of(chunks.source.grid, box)
        fetch = chunks.fetch_view if chunks.has_views else chunks.fetch
        fetched = await gather_or_cancel(fetch(piece.cell, hold) for piece in pieces)
        found: list[Found] = []
        for piece, chunk in zip(pieces, fetched, strict=True):
            if chunk is not None:
                found.append(Found(piece, chunk))
            elif len(copies) > 1:
                found += await self._collect(piece.box, copies[1:], hold)
        return found
