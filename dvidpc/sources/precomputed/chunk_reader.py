"""Read chunks as stored: from objects of their own, or out of shards."""

from collections.abc import Callable
from functools import partial

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import FormatError
from dvidpc.formats.grid import Grid
from dvidpc.formats.precomputed.chunk_ids import ChunkIds
from dvidpc.formats.precomputed.chunk_names import chunk_name
from dvidpc.formats.precomputed.info import Scale
from dvidpc.sources.base import StoredChunk
from dvidpc.sources.precomputed.shard_indexes import bounds_for
from dvidpc.sources.precomputed.shard_reader import ShardReader
from dvidpc.storage.base import Blob, ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.types import ChunkCoord


class ChunkReader:
    """Reads the encoded chunks of one copy of one scale.

    Args:
        store: Where the volume lies.
        directory: Where the chunks lie in it.
        scale: Which scale.
        grid: Which of the scale's grids.
        indexes: Keeps shard and minishard indexes; may serve many readers.
    """

    def __init__(
        self, store: ObjectStore, directory: str, scale: Scale, grid: Grid, indexes: LoadingCache
    ) -> None:
        self._store = store
        self._directory = directory
        self._grid = grid
        self._chunk_ids = ChunkIds(grid)
        self._shards = (
            None
            if scale.sharding is None
            else ShardReader(store, directory, scale.sharding, bounds_for(grid.chunk_count), indexes)
        )
        self._on_replaced: list[Callable[[], None]] = []
        store.on_retracted(self._report)
        if self._shards is not None:
            self._shards.on_replaced(self._report)

    def on_replaced(self, callback: Callable[[], None]) -> None:
        """Have *callback* called whenever a shard was replaced, or chunks reported missing may exist."""
        self._on_replaced.append(callback)

    def _report(self) -> None:
        for callback in self._on_replaced:
            callback()

    def describe(self, cell: ChunkCoord) -> str:
        """Return the chunk's name for messages: the object, and the chunk id where it holds many."""
        if self._shards is None:
            return name_object(self._store.url, self._key(cell))
        chunk_id = self._chunk_ids.chunk_id(cell)
        return f"{self._shards.shard_of(chunk_id)} chunk {chunk_id} ({chunk_name(self._grid, cell)})"

    async def read(self, cell: ChunkCoord, max_size: int) -> Blob | None:
        """Return the encoded chunk; None if the volume does not store it.

        Args:
            cell: Which chunk; must lie in the grid.
            max_size: Bytes beyond which the chunk is surely damaged.

        Raises:
            FormatError: The stored bytes break the format.
            StoreError: The bucket failed; whether the chunk is stored is not known.
        """
        if self._shards is not None:
            chunk_id = self._chunk_ids.chunk_id(cell)
            return await self._shards.read(chunk_id, max_size, partial(self.describe, cell))
        blob = await self._store.get(self._key(cell), max_size=max_size)
        if blob is not None and not blob.data:
            raise FormatError(f"{self.describe(cell)}: chunk is empty (0 bytes)")
        return blob

    async def locate(self, cell: ChunkCoord) -> StoredChunk | None:
        """Return where the encoded chunk lies; None if its shard does not hold it.

        For an unsharded chunk this is where it lies if it is stored: nothing is read.

        Raises:
            FormatError: The shard's indexes break the format.
            StoreError: The bucket failed.
        """
        box = self._grid.chunk_box(cell)
        if self._shards is None:
            return StoredChunk(box, self.describe(cell), None)
        stored = await self._shards.locate(self._chunk_ids.chunk_id(cell), partial(self.describe, cell))
        if stored is None:
            return None
        name = name_object(self._store.url, stored.key)
        return StoredChunk(box, name, stored.where, self._shards.spec.data_encoding.value)

    def _key(self, cell: ChunkCoord) -> str:
        name = chunk_name(self._grid, cell)
        return f"{self._directory}/{name}" if self._directory else name
