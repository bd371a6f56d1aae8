"""Reads chunks as stored: from objects of their own, or out of shards."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import FormatError, ObjectChangedError
from dvidpc.formats.codec import ChunkShape
from dvidpc.formats.data_types import DataType
from dvidpc.formats.grid import Box, Grid
from dvidpc.formats.precomputed.chunk_ids import ChunkIds
from dvidpc.formats.precomputed.chunk_names import chunk_name
from dvidpc.formats.precomputed.info import Scale
from dvidpc.formats.precomputed.sharding import (
    ENTRY_SIZE,
    DataEncoding,
    MinishardIndex,
    ShardingSpec,
    decode_minishard_index,
    decode_shard_index_entry,
)
from dvidpc.storage.base import Blob, ObjectStore
from dvidpc.storage.content_encoding import decode_content
from dvidpc.storage.object_checks import name_object
from dvidpc.types import ByteRange, ChunkCoord

_PAGE_ENTRIES = 4096
"""Entries of a shard index read at a time: 64 KiB cost no more than 16 bytes where a round trip is all."""

_MAX_MINISHARD_INDEX = 2**28
"""Bytes of a decompressed minishard index beyond which it is surely damaged (11 million chunks)."""


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """Where a chunk lies in the bucket."""

    box: Box
    """The voxels it holds."""
    url: str
    """Of its object."""
    where: ByteRange | None
    """Which bytes of the object; None: all."""
    data_encoding: DataEncoding = DataEncoding.RAW
    """How they are packed, the chunk's own encoding apart; of an object of its own, its headers say."""


@dataclass(frozen=True, slots=True)
class _IndexPage:
    """Some entries of a shard index, and which content of the object they describe."""

    entries: bytes
    etag: str | None

    @property
    def nbytes(self) -> int:
        return len(self.entries)


@dataclass(frozen=True, slots=True)
class _Minishard:
    """A minishard index, and which content of the object it describes."""

    index: MinishardIndex
    etag: str | None

    @property
    def nbytes(self) -> int:
        return self.index.nbytes


class ChunkReader:
    """Reads the encoded chunks of one copy of one scale.

    Args:
        store: Where the volume lies.
        directory: Where the chunks lie in it.
        scale: Which scale.
        grid: Which of the scale's grids.
        voxel: Data type and number of channels.
        indexes: Keeps shard and minishard indexes; may serve many readers.
    """

    def __init__(
        self,
        store: ObjectStore,
        directory: str,
        scale: Scale,
        grid: Grid,
        voxel: tuple[DataType, int],
        indexes: LoadingCache,
    ) -> None:
        self._store = store
        self._directory = directory
        self._sharding = scale.sharding
        self._grid = grid
        self._chunk_ids = ChunkIds(grid)
        data_type, num_channels = voxel
        self._whole_shape = ChunkShape(grid.chunk_size, num_channels, data_type, scale.label_block)
        self._indexes = indexes
        self._on_replaced: list[Callable[[], None]] = []

    def on_replaced(self, callback: Callable[[], None]) -> None:
        """Have *callback* called whenever a shard turns out to be another than before."""
        self._on_replaced.append(callback)

    @property
    def is_sharded(self) -> bool:
        """Whether objects hold many chunks each."""
        return self._sharding is not None

    def shape_of(self, cell: ChunkCoord) -> ChunkShape:
        """What the chunk holds once decoded."""
        if self._grid.is_whole(cell):
            return self._whole_shape
        return self._whole_shape._replace(size=self._grid.chunk_box(cell).size)

    def describe(self, cell: ChunkCoord) -> str:
        """The chunk as messages name it: the object, and the chunk id where the object holds many."""
        if self._sharding is None:
            return self._name(self._key(chunk_name(self._grid, cell)))
        chunk_id = self._chunk_ids.chunk_id(cell)
        shard = self._sharding.shard_name(self._sharding.locate(chunk_id).shard)
        return f"{self._name(self._key(shard))} chunk {chunk_id} ({chunk_name(self._grid, cell)})"

    async def read(self, cell: ChunkCoord) -> bytes | None:
        """The encoded chunk; None if the volume does not store it.

        Args:
            cell: Which chunk; must lie in the grid.

        Raises:
            FormatError: The stored bytes break the format.
            StoreError: The bucket failed; whether the chunk is stored is not known.
        """
        max_size = self.shape_of(cell).max_encoded_size
        if self._sharding is None:
            blob = await self._store.get(self._key(chunk_name(self._grid, cell)), max_size=max_size)
            if blob is not None and not blob.data:
                raise FormatError(f"{self.describe(cell)}: chunk is empty (0 bytes)")
            return None if blob is None else blob.data
        try:
            return await self._read_from_shard(cell, self._sharding, max_size)
        except ObjectChangedError:
            return await self._read_from_shard(cell, self._sharding, max_size)

    async def locate(self, cell: ChunkCoord) -> StoredChunk | None:
        """Where the encoded chunk lies; None if its shard does not hold it.

        Of an unsharded chunk it is where it lies if it is stored: nobody looks.

        Raises:
            FormatError: The shard's indexes break the format.
            StoreError: The bucket failed.
        """
        box = self._grid.chunk_box(cell)
        if self._sharding is None:
            return StoredChunk(box, self._name(self._key(chunk_name(self._grid, cell))), None)
        chunk_id = self._chunk_ids.chunk_id(cell)
        key, minishard = await self._find_minishard(chunk_id, self._sharding)
        where = self._find_chunk(cell, chunk_id, minishard, self._sharding)
        return (
            None if where is None else StoredChunk(box, self._name(key), where, self._sharding.data_encoding)
        )

    async def _find_minishard(self, chunk_id: int, spec: ShardingSpec) -> tuple[str, _Minishard | None]:
        """The shard of a chunk, and the index of its minishard; None if that is empty."""
        shard, number = spec.locate(chunk_id)
        key = self._key(spec.shard_name(shard))
        return key, await self._indexes.get_or_load(
            (self._store, key, "minishard", number), lambda: self._load_minishard(key, number, spec)
        )

    def _find_chunk(
        self, cell: ChunkCoord, chunk_id: int, minishard: _Minishard | None, spec: ShardingSpec
    ) -> ByteRange | None:
        """Where a chunk lies in its shard; None if the minishard does not hold it.

        Raises:
            FormatError: The minishard's index puts it where no chunk can be.
        """
        if minishard is None:
            return None
        try:
            where = minishard.index.find(chunk_id)
        except FormatError as error:
            raise FormatError(f"{self.describe(cell)}: {error}") from error
        if where is not None and where.start < spec.shard_index_size:
            raise FormatError(f"{self.describe(cell)}: minishard index puts it into the shard index")
        return where

    async def _read_from_shard(self, cell: ChunkCoord, spec: ShardingSpec, max_size: int) -> bytes | None:
        chunk_id = self._chunk_ids.chunk_id(cell)
        key, minishard = await self._find_minishard(chunk_id, spec)
        where = self._find_chunk(cell, chunk_id, minishard, spec)
        if minishard is None or where is None:
            return None
        if not 0 < where.size <= max_size:
            raise FormatError(f"{self.describe(cell)}: minishard index gives it {where.size} bytes")
        data = (await self._read_part(key, where, minishard.etag)).data
        if spec.data_encoding is DataEncoding.GZIP:
            try:
                return decode_content(data, "gzip", max_size=max_size)
            except FormatError as error:
                raise FormatError(f"{self.describe(cell)}: {error}") from error
        return data

    async def _load_minishard(self, key: str, number: int, spec: ShardingSpec) -> _Minishard | None:
        """The index of one minishard; None if there is no such shard, or nothing in the minishard."""
        page, place = divmod(number, _PAGE_ENTRIES)
        entries = await self._indexes.get_or_load(
            (self._store, key, "page", page), lambda: self._load_index_page(key, page, spec)
        )
        if entries is None:
            return None
        name = f"{self._name(key)} minishard {number}"
        try:
            where = decode_shard_index_entry(entries.entries[place * ENTRY_SIZE :][:ENTRY_SIZE], spec)
            if where is None:
                return None
            most = min(_MAX_MINISHARD_INDEX, 24 * self._grid.chunk_count)
            if where.size > most + 1024:
                raise FormatError(f"shard index gives the minishard index {where.size} bytes")  # noqa: TRY301 - named below
            data = (await self._read_part(key, where, entries.etag)).data
            if spec.minishard_index_encoding is DataEncoding.GZIP:
                data = decode_content(data, "gzip", max_size=most)
            return _Minishard(decode_minishard_index(data, spec), entries.etag)
        except FormatError as error:
            raise FormatError(f"{name}: {error}") from error

    async def _load_index_page(self, key: str, page: int, spec: ShardingSpec) -> _IndexPage | None:
        """A page of a shard's index; None if there is no such shard."""
        start = page * _PAGE_ENTRIES * ENTRY_SIZE
        stop = min(start + _PAGE_ENTRIES * ENTRY_SIZE, spec.shard_index_size)
        blob = await self._store.get_range(key, ByteRange(start, stop))
        known = self._indexes.last_known((self._store, key, "page", page))
        if isinstance(known, _IndexPage) and (blob is None or blob.etag != known.etag):
            self._forget(key)
        return None if blob is None else _IndexPage(blob.data, blob.etag)

    async def _read_part(self, key: str, where: ByteRange, etag: str | None) -> Blob:
        """A part of a shard whose index is known to be of *etag*.

        Raises:
            ObjectChangedError: The shard was replaced or removed; its indexes are forgotten.
        """
        try:
            blob = await self._store.get_range(key, where, etag=etag)
        except ObjectChangedError:
            self._forget(key)
            raise
        if blob is None:
            self._forget(key)
            raise ObjectChangedError(f"{self._name(key)} is gone since its index was read")
        return blob

    def _forget(self, key: str) -> None:
        def of_the_shard(cached: Hashable) -> bool:
            return isinstance(cached, tuple) and cached[:2] == (self._store, key)

        self._indexes.drop_where(of_the_shard)
        for callback in self._on_replaced:
            callback()

    def _name(self, key: str) -> str:
        return name_object(self._store.url, key)

    def _key(self, name: str) -> str:
        return f"{self._directory}/{name}" if self._directory else name
