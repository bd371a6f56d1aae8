"""The grid store: whole blocks of one scale, made of the chunks it is stored as."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np

from dvidpc.cache.flights import Share
from dvidpc.cache.held import Hold
from dvidpc.cache.loading_cache import MISSING, LoadingCache, Missing
from dvidpc.formats.assembly import BlockLayout, Part, Piece, assemble, pieces_of
from dvidpc.formats.codec import ChunkShape, encode_jpeg, encode_raw
from dvidpc.formats.data_types import DataType, Voxels
from dvidpc.formats.grid import Box, Grid, block_box
from dvidpc.formats.precomputed.info import Encoding
from dvidpc.sources.precomputed.chunk_reader import StoredChunk
from dvidpc.tasks import gather_or_cancel
from dvidpc.types import BlockCoord, ChunkCoord, Compression, Point
from dvidpc.volume.decoding import ChunkDecoder

T = TypeVar("T")

_STORED_AS = {Encoding.JPEG: Compression.JPEG, Encoding.RAW: Compression.UNCOMPRESSED}


class GridStore:
    """Fetches blocks of one scale; what it made is kept in a cache.

    Blocks are cubes counted from the origin of absolute coordinates. A block that no stored chunk
    touches is absent; one that a chunk touches in part is filled up with zeros.

    Args:
        copies: The scale's copies, each complete on its own; what one does not store is looked for in
            the next, so the one that needs the fewest reads should come first.
        layout: What a block holds for each voxel.
        block_size: Extent of a block along x, y and z, in voxels.
        cache: Keeps payloads; may serve many grid stores.
        held: Keeps decoded chunks for requests under way.
    """

    def __init__(
        self,
        copies: Sequence[ChunkDecoder],
        layout: BlockLayout,
        block_size: Point,
        cache: LoadingCache,
        held: LoadingCache,
    ) -> None:
        self._copies = copies
        self._layout = layout
        self._block_size = block_size
        self._cache = cache
        self._held = held
        for copy in copies:
            copy.on_replaced(self.forget)
        shape = copies[0].shape_of(ChunkCoord(0, 0, 0))
        self._is_grey = shape.data_type is DataType.UINT8 and layout.num_values == 1
        self._is_alone = shape.num_channels == 1 or layout.channel is None
        self._as_stored = self.passes_through() if len(copies) == 1 else None

    @property
    def grid(self) -> Grid:
        """Where the scale's chunks lie."""
        return self._copies[0].grid

    @property
    def encoding(self) -> Encoding:
        """How chunks are encoded."""
        return self._copies[0].encoding

    @property
    def is_sharded(self) -> bool:
        """Whether objects hold many chunks each."""
        return self._copies[0].is_sharded

    @property
    def block_size(self) -> Point:
        """Extent of a block along x, y and z, in voxels."""
        return self._block_size

    @property
    def chunk_shape(self) -> ChunkShape:
        """What `read_chunk` gives of a chunk that the volume's end does not clip."""
        shape = self._copies[0].shape_of(ChunkCoord(0, 0, 0))._replace(size=self.grid.chunk_size)
        return shape if self._layout.channel is None else shape._replace(num_channels=1)

    @property
    def cache_nbytes(self) -> int:
        """Bytes of payloads and decoded chunks that are kept, of all grid stores together."""
        return self._cache.max_bytes

    @property
    def block_nbytes(self) -> int:
        """Bytes of an uncompressed payload."""
        x, y, z = self._block_size
        return x * y * z * self._layout.num_values * self._layout.dtype.itemsize

    @property
    def default_compression(self) -> Compression:
        """What a payload is where nothing was asked for: JPEG where a voxel is one byte of grey."""
        return Compression.JPEG if self._is_grey else Compression.UNCOMPRESSED

    def can_encode(self, compression: Compression) -> bool:
        """Whether payloads of this scale can be written so."""
        return self._is_grey or compression is Compression.UNCOMPRESSED

    def passes_through(self) -> Compression | None:
        """How payloads are written that can be chunks as they are stored; None if none can.

        They must be where a block is exactly one chunk, which `Piece` knows of each.
        """
        shape = self._copies[0].shape_of(ChunkCoord(0, 0, 0))
        compression = _STORED_AS.get(self._copies[0].encoding)
        if shape.num_channels > 1 or compression is None or not self.can_encode(compression):
            return None
        return compression

    def hold(self) -> Hold:
        """What a request passes along with its blocks, and closes when it ends."""
        return Hold(self._held)

    def peek(self, block: BlockCoord, compression: Compression) -> bytes | Missing | None:
        """What `fetch` would answer, if no reading is needed for it; else `cache.MISSING`."""
        payload: bytes | Missing | None = self._cache.peek((self, block, compression))
        return payload

    async def fetch(self, block: BlockCoord, compression: Compression) -> bytes | None:
        """The payload of a block; None if no stored chunk touches it.

        Raises:
            FormatError: A chunk it needs is damaged.
            StoreError: The bucket failed to give a chunk it needs.
        """
        payload = self.peek(block, compression)
        if payload is not MISSING:
            return payload
        hold = self.hold()
        share = self.begin(block, compression, hold)
        if share is None:
            return None
        try:
            return await share.value()
        finally:
            share.give_up()
            hold.close()

    def begin(self, block: BlockCoord, compression: Compression, hold: Hold) -> Share[bytes | None] | None:
        """Have a block loaded that `peek` did not find; None if no chunk can touch it.

        Args:
            block: Which block.
            compression: How the payload is written.
            hold: Decoded chunks of the same request.

        Returns:
            A share in what `fetch` answers, or raises.
        """
        key = (self, block, compression)
        if compression is self._as_stored:
            cell = self.grid.chunk_that_is(block, self._block_size)
            if cell is not None:
                return self._cache.begin(key, partial(self._load_as_stored, cell))
        box = block_box(block, self._block_size)
        if box.intersection(self.grid.box).is_empty:
            return None
        return self._cache.begin(key, partial(self._load, box, compression, hold))

    async def locate(self, box: Box) -> list[StoredChunk]:
        """Where the chunks lie that touch *box*; of those in shards, only such as are stored.

        Of a scale with several copies, those of the one that is read first.

        Raises:
            FormatError: A shard's indexes break the format.
            StoreError: The bucket failed.
        """
        cells = self.grid.chunks_touching(box)
        found = await gather_or_cancel(self._copies[0].locate(cell) for cell in cells)
        return [chunk for chunk in found if chunk is not None]

    def forget(self) -> None:
        """Drop all that is cached of this scale: what it was made of has been replaced."""
        owners = {self, *self._copies}
        self._cache.drop_where(lambda key: isinstance(key, tuple) and key[0] in owners)

    def peek_chunk(self, cell: ChunkCoord) -> Voxels | Missing | None:
        """What `read_chunk` would answer, if no reading is needed for it; else `cache.MISSING`."""
        voxels = self._copies[0].peek(cell)
        if isinstance(voxels, Missing):
            return voxels
        if voxels is None:
            return None if len(self._copies) == 1 else MISSING
        return self._shown(voxels)

    async def read_chunk(self, cell: ChunkCoord, *, keep: bool = True) -> Voxels | None:
        """The voxels of a chunk, `[c, z, y, x]`, of the channels shown; None if it is not stored.

        Args:
            cell: Which chunk; must lie in the grid.
            keep: Whether somebody may want it again soon; what nobody does need not push others out.

        Raises:
            FormatError: The chunk is damaged.
            StoreError: The bucket failed to give it.
        """
        hold = self.hold()
        try:
            decoder = self._copies[0]
            voxels = await (decoder.fetch(cell, hold) if keep else decoder.load(cell))
            if voxels is not None:
                return self._shown(voxels)
            if len(self._copies) == 1:
                return None
            box = self.grid.chunk_box(cell)
            parts = await self._collect(box, self._copies[1:], hold)
        finally:
            hold.close()
        if not parts:
            return None
        layout = self._layout._replace(num_values=self.chunk_shape.num_channels)
        return np.moveaxis(await self.in_pool(partial(assemble, box, parts, layout)), -1, 0)

    async def in_pool(self, step: Callable[[], T]) -> T:
        """The result of *step*, which may take its time: it runs in a thread."""
        return await self._copies[0].in_pool(step)

    def _shown(self, voxels: Voxels) -> Voxels:
        channel = self._layout.channel
        shown: Voxels = voxels if channel is None else voxels[channel : channel + 1]
        return shown

    async def _load_as_stored(self, cell: ChunkCoord) -> bytes | None:
        """The payload of a block that is a chunk, byte for byte; None if it is not stored."""
        decoder = self._copies[0]
        data = await decoder.read(cell)
        if data is not None:
            await decoder.check(cell, data)
        return data

    async def _load(self, box: Box, compression: Compression, hold: Hold) -> bytes | None:
        copies = self._copies
        pieces = pieces_of(self.grid, box)
        if len(pieces) == 1 and pieces[0].is_whole_chunk and self._is_alone:
            payload = await self._load_from_one(box, pieces[0], compression)
            if payload is not None or len(copies) == 1:
                return payload
            copies = copies[1:]
        parts = await self._collect(box, copies, hold)
        if not parts:
            return None
        return await self.in_pool(partial(self._assemble_and_encode, box, parts, compression))

    async def _load_from_one(self, box: Box, piece: Piece, compression: Compression) -> bytes | None:
        """The payload of a block that is one chunk, which no other block needs; None if it is not stored."""
        if piece.box == box and self.passes_through() is compression:
            return await self._load_as_stored(piece.cell)
        decoder = self._copies[0]
        data = await decoder.read(piece.cell)
        if data is None:
            return None
        return await decoder.in_pool(partial(self._decode_and_encode, box, piece, data, compression))

    async def _collect(self, box: Box, copies: Sequence[ChunkDecoder], hold: Hold) -> list[Part]:
        """What the first of *copies* stores of *box*, and where it has a hole, what the others do."""
        pieces = pieces_of(copies[0].grid, box)
        chunks = await gather_or_cancel(copies[0].fetch(piece.cell, hold) for piece in pieces)
        parts = []
        for piece, voxels in zip(pieces, chunks, strict=True):
            if voxels is not None:
                parts.append(Part(piece.box, voxels[:, *piece.source_zyx]))
            elif len(copies) > 1:
                parts += await self._collect(piece.box, copies[1:], hold)
        return parts

    def _decode_and_encode(self, box: Box, piece: Piece, data: bytes, compression: Compression) -> bytes:
        voxels = self._copies[0].decode(piece.cell, data)
        return self._assemble_and_encode(box, [Part(piece.box, voxels)], compression)

    def _assemble_and_encode(self, box: Box, parts: Sequence[Part], compression: Compression) -> bytes:
        voxels = self._whole(box, parts)
        if voxels is None:
            voxels = assemble(box, parts, self._layout)
        return (
            encode_jpeg(voxels.reshape(voxels.shape[:3]))
            if compression is Compression.JPEG
            else encode_raw(voxels)
        )

    def _whole(self, box: Box, parts: Sequence[Part]) -> Voxels | None:
        """The block without copying, where one part is all of it and voxels have one value; else None."""
        if len(parts) > 1 or parts[0].box != box or self._layout.num_values > 1:
            return None
        voxels: Voxels = parts[0].voxels[self._layout.channel or 0]
        return voxels
