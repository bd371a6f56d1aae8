"""The grid store: whole blocks of one scale, made of the chunks it is stored as."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TypeVar

from dvidpc.errors import FormatError
from dvidpc.formats.assembly import Piece, assemble, pieces_of
from dvidpc.formats.codec import ChunkShape, Voxels, check_jpeg, decode_chunk, encode_jpeg, encode_raw
from dvidpc.formats.grid import Box, Grid, block_box
from dvidpc.formats.info import DataType, Encoding
from dvidpc.types import BlockCoord, ChunkCoord, Compression, Point
from dvidpc.volume.cache import LoadingCache, Missing
from dvidpc.volume.chunks import ChunkReader, StoredChunk
from dvidpc.volume.tasks import gather_or_cancel

T = TypeVar("T")


class GridStore:
    """Fetches blocks of one scale; what it made is kept in a cache.

    Blocks are cubes counted from the origin of absolute coordinates. A block that no stored chunk
    touches is absent; one that a chunk touches in part is filled up with zeros.

    Args:
        reader: Reads the scale's chunks.
        grid: Where they lie.
        encoding: How they are encoded.
        block_size: Extent of a block along x, y and z, in voxels.
        cache: Keeps payloads and decoded chunks; may serve many grid stores.
        pool: Runs decoding and encoding.
    """

    def __init__(
        self,
        reader: ChunkReader,
        grid: Grid,
        encoding: Encoding,
        block_size: Point,
        cache: LoadingCache,
        pool: Executor,
    ) -> None:
        self._reader = reader
        self._grid = grid
        self._encoding = encoding
        self._block_size = block_size
        self._cache = cache
        self._pool = pool
        reader.on_replaced(self.forget)
        shape = reader.shape_of(ChunkCoord(0, 0, 0))
        self._is_grey = shape.data_type is DataType.UINT8 and shape.num_channels == 1

    @property
    def grid(self) -> Grid:
        """Where the scale's chunks lie."""
        return self._grid

    @property
    def block_size(self) -> Point:
        """Extent of a block along x, y and z, in voxels."""
        return self._block_size

    @property
    def chunk_shape(self) -> ChunkShape:
        """What a chunk holds that the volume's end does not clip."""
        return self._reader.shape_of(ChunkCoord(0, 0, 0))._replace(size=self._grid.chunk_size)

    @property
    def cache_nbytes(self) -> int:
        """Bytes of payloads and decoded chunks that are kept, of all grid stores together."""
        return self._cache.max_bytes

    @property
    def block_nbytes(self) -> int:
        """Bytes of an uncompressed payload."""
        return self._reader.shape_of(ChunkCoord(0, 0, 0))._replace(size=self._block_size).nbytes

    @property
    def default_compression(self) -> Compression:
        """What a payload is where nothing was asked for: JPEG where a voxel is one byte of grey."""
        return Compression.JPEG if self._is_grey else Compression.UNCOMPRESSED

    def can_encode(self, compression: Compression) -> bool:
        """Whether payloads of this scale can be written so."""
        return self._is_grey or compression is Compression.UNCOMPRESSED

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
        box = block_box(block, self._block_size)
        if box.intersection(self._grid.box).is_empty:
            return None
        return await self._cache.get_or_load((self, block, compression), lambda: self._load(box, compression))

    async def locate(self, box: Box) -> list[StoredChunk]:
        """Where the chunks lie that touch *box*; of those in shards, only such as are stored.

        Raises:
            FormatError: A shard's indexes break the format.
            StoreError: The bucket failed.
        """
        cells = self._grid.chunks_touching(box)
        found = await gather_or_cancel(self._reader.locate(cell) for cell in cells)
        return [chunk for chunk in found if chunk is not None]

    def forget(self) -> None:
        """Drop all that is cached of this scale: what it was made of has been replaced."""
        self._cache.drop_where(lambda key: isinstance(key, tuple) and key[0] is self)

    async def _load(self, box: Box, compression: Compression) -> bytes | None:
        pieces = pieces_of(self._grid, box)
        if len(pieces) == 1 and self._serves_alone(pieces[0]):
            return await self._load_from_one(box, pieces[0], compression)
        chunks = await self._read_decoded(pieces)
        if not chunks:
            return None
        return await self.in_pool(partial(self._assemble_and_encode, box, pieces, chunks, compression))

    def _serves_alone(self, piece: Piece) -> bool:
        """Whether no other block needs the chunk of *piece*, so that it need not be kept decoded."""
        extent = tuple(s.stop - s.start for s in reversed(piece.source_zyx))
        return extent == tuple(self._grid.chunk_box(piece.cell).size)

    async def _load_from_one(self, box: Box, piece: Piece, compression: Compression) -> bytes | None:
        data = await self._reader.read(piece.cell)
        if data is None:
            return None
        if self._passes_through(piece, compression):
            return self._checked(data, piece.cell)
        return await self.in_pool(partial(self._decode_and_encode, box, piece, data, compression))

    def _passes_through(self, piece: Piece, compression: Compression) -> bool:
        """Whether the stored bytes of a chunk are the payload of its block as they are."""
        stored_as = {Encoding.JPEG: Compression.JPEG, Encoding.RAW: Compression.UNCOMPRESSED}
        return piece.is_whole and self._is_grey and stored_as.get(self._encoding) is compression

    def _checked(self, data: bytes, cell: ChunkCoord) -> bytes:
        shape = self._reader.shape_of(cell)
        if self._encoding is Encoding.JPEG:
            self._naming(cell, partial(check_jpeg, data, shape))
        else:
            self._decode(cell, data)
        return data

    async def _read_decoded(self, pieces: Sequence[Piece]) -> dict[ChunkCoord, Voxels]:
        """The stored ones among the chunks of *pieces*."""
        chunks = await gather_or_cancel(self.read_chunk(piece.cell) for piece in pieces)
        found = zip(pieces, chunks, strict=True)
        return {piece.cell: voxels for piece, voxels in found if voxels is not None}

    def peek_chunk(self, cell: ChunkCoord) -> Voxels | Missing | None:
        """What `read_chunk` would answer, if no reading is needed for it; else `cache.MISSING`."""
        voxels: Voxels | Missing | None = self._cache.peek((self, cell))
        return voxels

    async def read_chunk(self, cell: ChunkCoord, *, keep: bool = True) -> Voxels | None:
        """The voxels of a chunk, `[c, z, y, x]`; None if the volume does not store it.

        Args:
            cell: Which chunk; must lie in the grid.
            keep: Whether somebody may want it again soon; what nobody does need not push others out.

        Raises:
            FormatError: The chunk is damaged.
            StoreError: The bucket failed to give it.
        """
        if not keep:
            return await self._load_decoded(cell)
        return await self._cache.get_or_load((self, cell), lambda: self._load_decoded(cell))

    async def _load_decoded(self, cell: ChunkCoord) -> Voxels | None:
        data = await self._reader.read(cell)
        return None if data is None else await self.in_pool(partial(self._decode, cell, data))

    def _decode(self, cell: ChunkCoord, data: bytes) -> Voxels:
        return self._naming(cell, partial(decode_chunk, data, self._encoding, self._reader.shape_of(cell)))

    def _decode_and_encode(self, box: Box, piece: Piece, data: bytes, compression: Compression) -> bytes:
        return self._assemble_and_encode(
            box, [piece], {piece.cell: self._decode(piece.cell, data)}, compression
        )

    def _assemble_and_encode(
        self, box: Box, pieces: Sequence[Piece], chunks: dict[ChunkCoord, Voxels], compression: Compression
    ) -> bytes:
        if len(pieces) == 1 and pieces[0].is_whole:
            voxels = chunks[pieces[0].cell]
        else:
            voxels = assemble(box, pieces, chunks, self._reader.shape_of(pieces[0].cell))
        return encode_jpeg(voxels[0]) if compression is Compression.JPEG else encode_raw(voxels)

    def _naming(self, cell: ChunkCoord, step: Callable[[], T]) -> T:
        """Run *step*; what it says of damaged bytes gains the name of the chunk."""
        try:
            return step()
        except FormatError as error:
            raise FormatError(f"{self._reader.describe(cell)}: {error}") from error

    async def in_pool(self, step: Callable[[], T]) -> T:
        """The result of *step*, which may take its time: it runs in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, step)
