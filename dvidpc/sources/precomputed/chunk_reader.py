"""Read chunks as stored: from objects of their own, or out of shards."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import FormatError, ObjectChangedError
from dvidpc.formats.grid import Grid
from dvidpc.formats.precomputed.chunk_ids import ChunkIds
from dvidpc.formats.precomputed.chunk_names import chunk_name
from dvidpc.formats.precomputed.info import Scale
from dvidpc.formats.precomputed.sharding import DataEncoding, MinishardIndex, ShardingSpec
from dvidpc.sources.base import StoredChunk
from dvidpc.sources.precomputed import shard_indexes
from dvidpc.sources.precomputed.shard_indexes import PAGE_ENTRIES
from dvidpc.storage.base import Blob, ObjectStore
from dvidpc.storage.content_encoding import decode_content
from dvidpc.storage.object_checks import name_object
from dvidpc.storage.versions import Comparison, Version, compare
from dvidpc.types import ByteRange, ChunkCoord


@dataclass(frozen=True, slots=True)
class _IndexPage:
    """Some entries of a shard index, and the version of the object they describe."""

    entries: bytes
    version: Version

    @property
    def nbytes(self) -> int:
        return len(self.entries)


@dataclass(frozen=True, slots=True)
class _Minishard:
    """A minishard index, and the version of the object it describes."""

    index: MinishardIndex
    version: Version

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
        indexes: Keeps shard and minishard indexes; may serve many readers.
    """

    def __init__(
        self, store: ObjectStore, directory: str, scale: Scale, grid: Grid, indexes: LoadingCache
    ) -> None:
        self._store = store
        self._directory = directory
        self._sharding = scale.sharding
        self._grid = grid
        self._chunk_ids = ChunkIds(grid)
        self._bounds = shard_indexes.bounds_for(grid.chunk_count)
        self._indexes = indexes
        self._on_replaced: list[Callable[[], None]] = []
        store.on_retracted(self._forget_all)

    def on_replaced(self, callback: Callable[[], None]) -> None:
        """Have *callback* called whenever a shard turns out to have been replaced."""
        self._on_replaced.append(callback)

    def describe(self, cell: ChunkCoord) -> str:
        """Return the chunk's name for messages: the object, and the chunk id where it holds many."""
        if self._sharding is None:
            return self._name(self._key(chunk_name(self._grid, cell)))
        chunk_id = self._chunk_ids.chunk_id(cell)
        shard = self._sharding.shard_name(self._sharding.locate(chunk_id).shard)
        return f"{self._name(self._key(shard))} chunk {chunk_id} ({chunk_name(self._grid, cell)})"

    async def read(self, cell: ChunkCoord, max_size: int) -> bytes | None:
        """Return the encoded chunk; None if the volume does not store it.

        Args:
            cell: Which chunk; must lie in the grid.
            max_size: Bytes beyond which the chunk is surely damaged.

        Raises:
            FormatError: The stored bytes break the format.
            StoreError: The bucket failed; whether the chunk is stored is not known.
        """
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
        """Return where the encoded chunk lies; None if its shard does not hold it.

        For an unsharded chunk this is where it lies if it is stored: nothing is read.

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
        if where is None:
            return None
        return StoredChunk(box, self._name(key), where, self._sharding.data_encoding.value)

    async def _find_minishard(self, chunk_id: int, spec: ShardingSpec) -> tuple[str, _Minishard | None]:
        """Return the shard's key and the index of the minishard; None if that is empty."""
        shard, number = spec.locate(chunk_id)
        key = self._key(spec.shard_name(shard))
        return key, await self._indexes.get_or_load(
            (self._store.identity, key, "minishard", number), lambda: self._load_minishard(key, number, spec)
        )

    def _find_chunk(
        self, cell: ChunkCoord, chunk_id: int, minishard: _Minishard | None, spec: ShardingSpec
    ) -> ByteRange | None:
        """Return where a chunk lies in its shard; None if the minishard does not hold it.

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
        blob = await self._read_part(key, where, minishard.version)
        if spec.data_encoding is DataEncoding.GZIP:
            try:
                return decode_content(blob.data, "gzip", max_size=max_size)
            except FormatError as error:
                self._check_fit(key, minishard.version, blob.version)
                raise FormatError(f"{self.describe(cell)}: {error}") from error
        return blob.data

    async def _load_minishard(self, key: str, number: int, spec: ShardingSpec) -> _Minishard | None:
        """Return the index of one minishard; None if there is no such shard, or the minishard is empty."""
        page, entry = divmod(number, PAGE_ENTRIES)
        entries = await self._indexes.get_or_load(
            (self._store.identity, key, "page", page), lambda: self._load_index_page(key, page, spec)
        )
        if entries is None:
            return None
        found = entries.version
        try:
            where = shard_indexes.find_minishard(entries.entries, entry, spec, self._bounds)
            if where is None:
                return None
            blob = await self._read_part(key, where, entries.version)
            found = blob.version
            return _Minishard(shard_indexes.decode_index(blob.data, spec, self._bounds), entries.version)
        except FormatError as error:
            self._check_fit(key, entries.version, found)
            hint = shard_indexes.find_compression(entries.entries) if page == 0 else ""
            raise FormatError(f"{self._name(key)} minishard {number}: {error}{hint}") from error

    async def _load_index_page(self, key: str, page: int, spec: ShardingSpec) -> _IndexPage | None:
        """Return a page of a shard's index; None if there is no such shard."""
        blob = await shard_indexes.read_page(self._store, key, page, spec)
        known = self._indexes.last_known((self._store.identity, key, "page", page))
        if isinstance(known, _IndexPage) and (blob is None or not _is_same_shard(known, blob)):
            self._forget(key)
        return None if blob is None else _IndexPage(blob.data, blob.version)

    def _check_fit(self, key: str, known: Version, found: Version) -> None:
        """Take a part that its index does not fit for a part of another shard, unless the etags are equal.

        Raises:
            ObjectChangedError: They differ; the shard's indexes are forgotten.
        """
        if compare(known, found) is Comparison.SAME_BUT_ETAG:
            self._forget(key)
            raise ObjectChangedError(f"{self._name(key)} was replaced: its index does not fit any more")

    async def _read_part(self, key: str, where: ByteRange, version: Version) -> Blob:
        """Read a part of the shard whose index belongs to *version*.

        Raises:
            ObjectChangedError: The shard was replaced or removed; its indexes are forgotten.
        """
        try:
            blob = await self._store.get_range(key, where, version=version)
        except ObjectChangedError:
            self._forget(key)
            raise
        if blob is None:
            self._forget(key)
            raise ObjectChangedError(f"{self._name(key)} is gone since its index was read")
        return blob

    def _forget(self, key: str) -> None:
        shard = (self._store.identity, key)

        def of_the_shard(cached: Hashable) -> bool:
            return isinstance(cached, tuple) and cached[:2] == shard

        self._indexes.drop_where(of_the_shard)
        for callback in self._on_replaced:
            callback()

    def _forget_all(self) -> None:
        """Forget every index of the store: shards that were reported missing may exist after all."""
        identity = self._store.identity
        self._indexes.drop_where(lambda cached: isinstance(cached, tuple) and cached[0] == identity)
        for callback in self._on_replaced:
            callback()

    def _name(self, key: str) -> str:
        return name_object(self._store.url, key)

    def _key(self, name: str) -> str:
        return f"{self._directory}/{name}" if self._directory else name


def _is_same_shard(known: _IndexPage, blob: Blob) -> bool:
    """Return whether a page that was read again belongs to the same shard as before."""
    match compare(known.version, blob.version):
        case Comparison.SAME:
            return True
        case Comparison.SAME_BUT_ETAG:
            return known.entries == blob.data
        case Comparison.REPLACED:
            return False
