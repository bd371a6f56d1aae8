"""Decoded chunks of one copy of one scale: each read and decoded once, whoever asks."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import TypeVar

from dvidpc.cache.held import Hold
from dvidpc.cache.loading_cache import LoadingCache, Missing
from dvidpc.errors import FormatError
from dvidpc.formats.codec import ChunkShape, check_jpeg, decode_chunk, may_crash
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.grid import Grid
from dvidpc.formats.precomputed.info import Encoding
from dvidpc.sources.isolation import Isolation
from dvidpc.sources.precomputed.chunk_reader import ChunkReader, StoredChunk
from dvidpc.types import ChunkCoord

T = TypeVar("T")


class ChunkDecoder:
    """Reads chunks and decodes them off the event loop.

    Args:
        reader: Reads the chunks.
        grid: Where they lie.
        encoding: How they are encoded.
        cache: Keeps decoded chunks; may serve many decoders.
        pool: Runs decoding.
        isolation: Runs the decoding that could end this process.
    """

    def __init__(
        self,
        reader: ChunkReader,
        grid: Grid,
        encoding: Encoding,
        cache: LoadingCache,
        pool: Executor,
        isolation: Isolation,
    ) -> None:
        self.grid = grid
        self.encoding = encoding
        self._reader = reader
        self._cache = cache
        self._pool = pool
        self._decode_chunk = isolation.decode if may_crash(encoding) else decode_chunk

    @property
    def is_sharded(self) -> bool:
        """Whether objects hold many chunks each."""
        return self._reader.is_sharded

    def shape_of(self, cell: ChunkCoord) -> ChunkShape:
        """What a chunk holds once decoded."""
        return self._reader.shape_of(cell)

    async def fetch(self, cell: ChunkCoord, hold: Hold) -> Voxels | None:
        """The decoded chunk, kept for who asks next; None if it is not stored.

        Raises:
            FormatError: It is damaged.
            StoreError: The bucket failed.
        """
        key = (self, cell)
        return await hold.get_or_load(key, lambda: self._cache.get_or_load(key, lambda: self.load(cell)))

    def peek(self, cell: ChunkCoord) -> Voxels | Missing | None:
        """What `fetch` would answer, if no reading is needed for it; else `cache.MISSING`."""
        voxels: Voxels | Missing | None = self._cache.peek((self, cell))
        return voxels

    async def load(self, cell: ChunkCoord) -> Voxels | None:
        """The decoded chunk, kept for nobody; None if it is not stored. As `fetch` otherwise."""
        data = await self._reader.read(cell)
        return None if data is None else await self.in_pool(partial(self.decode, cell, data))

    def on_replaced(self, callback: Callable[[], None]) -> None:
        """Have *callback* called whenever a shard turns out to be another than before."""
        self._reader.on_replaced(callback)

    async def locate(self, cell: ChunkCoord) -> StoredChunk | None:
        """Where the chunk lies, as `ChunkReader.locate`."""
        return await self._reader.locate(cell)

    async def read(self, cell: ChunkCoord) -> bytes | None:
        """The chunk as stored, as `ChunkReader.read`."""
        return await self._reader.read(cell)

    async def check(self, cell: ChunkCoord, data: bytes) -> None:
        """Make sure of stored bytes that are going to be passed through.

        Raises:
            FormatError: They are damaged.
        """
        if self.encoding is Encoding.JPEG:
            self._naming(cell, partial(check_jpeg, data, self.shape_of(cell)))
        else:
            self.decode(cell, data)

    def decode(self, cell: ChunkCoord, data: bytes) -> Voxels:
        """The voxels of a chunk; takes milliseconds.

        Raises:
            FormatError: It is damaged; the message names it.
        """
        return self._naming(cell, partial(self._decode_chunk, data, self.encoding, self.shape_of(cell)))

    async def in_pool(self, step: Callable[[], T]) -> T:
        """Run *step* off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, step)

    def _naming(self, cell: ChunkCoord, step: Callable[[], T]) -> T:
        """Run *step*; what it says of damaged bytes gains the name of the chunk."""
        try:
            return step()
        except FormatError as error:
            raise FormatError(f"{self._reader.describe(cell)}: {error}") from error
