"""The chunks of one channel of an array: read, decoded and shown as voxels along x, y and z."""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

import numpy as np

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import FormatError
from dvidpc.formats.arrays.chunk_view import ChunkView
from dvidpc.formats.arrays.shard_index import ShardIndex
from dvidpc.formats.codec import ChunkShape
from dvidpc.formats.data_types import DataType, Voxels, widen
from dvidpc.formats.foreign_bytes import explain_foreign
from dvidpc.formats.grid import Grid
from dvidpc.formats.payloads import Payload
from dvidpc.formats.precomputed.label_chunk import LabelChunk
from dvidpc.sources.arrays.array_shards import ArrayShards
from dvidpc.sources.base import StoredChunk
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.types import ByteRange, ChunkCoord

T = TypeVar("T")

_COMPRESSED: Final = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
"""How bytes begin that gzip or zstd compressed."""


class ArrayChunks:
    """A `ChunkSource` over one channel of one array.

    Args:
        store: Where the array lies.
        directory: The array's directory in it.
        view: Which chunks, and how they become voxels.
        shown_as: What voxels are converted to once decoded; integers keep their bits.
        digest: Names the metadata.
        indexes: Keeps shard indexes; may serve many sources.
    """

    stored_payload: Payload | None = None
    """As `ChunkSource.stored_payload`: no stored chunk is a payload."""

    def __init__(
        self,
        store: ObjectStore,
        directory: str,
        view: ChunkView,
        shown_as: DataType,
        digest: str,
        indexes: LoadingCache,
    ) -> None:
        self._store = store
        self._directory = directory
        self._view = view
        self._spec = view.level.spec
        self._shown_as = shown_as
        self._digest = digest
        fill = self._convert(np.array([self._spec.fill], self._spec.dtype))
        self._fill: int | float = fill[0].item()
        layout = self._spec.shard
        self._shards = None if layout is None else ArrayShards(store, layout, indexes)
        self._on_replaced: list[Callable[[], None]] = []
        store.on_retracted(self._retract)
        if self._shards is not None:
            self._shards.on_replaced(self._report)

    @property
    def grid(self) -> Grid:
        """As `ChunkSource.grid`."""
        return self._view.level.grid

    @property
    def identity(self) -> str:
        """As `ChunkSource.identity`: it also names what the configuration chose of the array."""
        first = self._view.key(ChunkCoord(0, 0, 0))
        chosen = f"{self._view.level.axes} {self._view.channel} {self.grid.offset} {self._shown_as}"
        return f"{self._store.identity} {self._directory} {first} {chosen} {self._digest}"

    @property
    def fill(self) -> int | float | None:
        """As `ChunkSource.fill`, in the type that voxels are converted to."""
        return self._fill

    def shape_of(self, cell: ChunkCoord) -> ChunkShape:
        """As `ChunkSource.shape_of`."""
        return ChunkShape(self.grid.chunk_box(cell).size, 1, self._shown_as)

    def describe(self, cell: ChunkCoord) -> str:
        """As `ChunkSource.describe`."""
        name = name_object(self._store.url, self._key(cell))
        return name if self._shards is None else f"{name} inner chunk {_index(self._view.inner_of(cell))}"

    async def read(self, cell: ChunkCoord) -> bytes | None:
        """As `ChunkSource.read`."""
        key = self._key(cell)
        if self._shards is not None:
            return await self._shards.read(key, partial(self._find, cell), partial(self.describe, cell))
        blob = await self._store.get(key, max_size=self._spec.max_encoded_size)
        if blob is not None and not blob.data:
            raise FormatError(f"{self.describe(cell)}: chunk is empty (0 bytes)")
        return None if blob is None else blob.data

    async def read_stored(self, cell: ChunkCoord) -> bytes | None:
        """As `ChunkSource.read_stored`; never needed, as no chunk is a payload."""
        return await self.read(cell)

    def decode(self, cell: ChunkCoord, data: bytes) -> Voxels:
        """As `ChunkSource.decode`."""
        try:
            return self._convert(self._naming(cell, partial(self._view.decode, cell, data)))
        except FormatError as error:
            if data.startswith(_COMPRESSED):  # as an array's codecs may have left it
                raise
            raise FormatError(f"{error}{explain_foreign(data)}") from error

    def label_chunk(self, _cell: ChunkCoord, _data: bytes, /) -> LabelChunk | None:
        """As `ChunkSource.label_chunk`: arrays have another encoding."""
        return None

    async def locate(self, cell: ChunkCoord, /) -> StoredChunk | None:
        """As `ChunkSource.locate`."""
        box, key = self.grid.chunk_box(cell), self._key(cell)
        name = name_object(self._store.url, key)
        if self._shards is None:
            return StoredChunk(box, name, None)
        found = await self._shards.locate(key, partial(self._find, cell))
        return None if found is None else StoredChunk(box, name, found.where)

    def on_replaced(self, callback: Callable[[], None]) -> None:
        """As `ChunkSource.on_replaced`."""
        self._on_replaced.append(callback)

    def _key(self, cell: ChunkCoord) -> str:
        name = self._view.key(cell)
        return f"{self._directory}/{name}" if self._directory else name

    def _find(self, cell: ChunkCoord, index: ShardIndex) -> ByteRange | None:
        return self._naming(cell, partial(self._view.find, index, cell))

    def _convert(self, voxels: Voxels) -> Voxels:
        return voxels if self._shown_as is self._spec.data_type else widen(voxels, self._shown_as)

    def _retract(self) -> None:
        if self._shards is not None:
            self._shards.forget_all()
        self._report()

    def _report(self) -> None:
        for callback in self._on_replaced:
            callback()

    def _naming(self, cell: ChunkCoord, step: Callable[[], T]) -> T:
        """Run *step* and put the chunk's name before what it says of damaged bytes."""
        try:
            return step()
        except FormatError as error:
            raise FormatError(f"{self.describe(cell)}: {error}") from error


def _index(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))
