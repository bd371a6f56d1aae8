"""The chunks of a precomputed scale: read, checked and decoded."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from dvidpc.errors import FormatError
from dvidpc.formats.codec import ChunkShape, check_jpeg, decode_chunk, max_encoded_size, may_crash
from dvidpc.formats.data_types import DataType, Voxels, widen
from dvidpc.formats.foreign_bytes import explain_foreign
from dvidpc.formats.grid import Grid
from dvidpc.formats.payloads import Payload, stored_payload
from dvidpc.formats.precomputed.info import Encoding
from dvidpc.formats.precomputed.label_chunk import LabelChunk, parse_label_chunk
from dvidpc.sources.base import StoredChunk
from dvidpc.sources.isolation import Isolation
from dvidpc.sources.precomputed.chunk_reader import ChunkReader
from dvidpc.storage.base import Blob
from dvidpc.types import ChunkCoord

T = TypeVar("T")


class PrecomputedChunks:
    """A `ChunkSource` over one copy of one scale.

    Args:
        reader: Reads the chunks.
        grid: The lattice of chunks.
        encoding: How they are encoded.
        shape: What a whole chunk holds as stored.
        identity: See `ChunkSource.identity`.
        isolation: Decodes what could crash this process.
        data_type: What voxels are converted to once decoded; integers keep their bits.
    """

    def __init__(
        self,
        reader: ChunkReader,
        grid: Grid,
        encoding: Encoding,
        shape: ChunkShape,
        identity: str,
        isolation: Isolation,
        data_type: DataType,
    ) -> None:
        self._reader = reader
        self._grid = grid
        self._encoding = encoding
        self._stored_shape = shape
        self._whole_shape = shape._replace(data_type=data_type)
        self._identity = identity
        is_converted = data_type is not shape.data_type
        self._stored_payload = None if is_converted else stored_payload(encoding, shape.num_channels)
        self._decode_chunk = isolation.decode if may_crash(encoding) else decode_chunk

    @property
    def grid(self) -> Grid:
        """As `ChunkSource.grid`."""
        return self._grid

    @property
    def identity(self) -> str:
        """As `ChunkSource.identity`."""
        return self._identity

    @property
    def stored_payload(self) -> Payload | None:
        """As `ChunkSource.stored_payload`."""
        return self._stored_payload

    @property
    def fill(self) -> int | float | None:
        """As `ChunkSource.fill`: the format has none."""
        return None

    def shape_of(self, cell: ChunkCoord) -> ChunkShape:
        """As `ChunkSource.shape_of`."""
        if self._grid.is_whole(cell):
            return self._whole_shape
        return self._whole_shape._replace(size=self._grid.chunk_box(cell).size)

    def describe(self, cell: ChunkCoord) -> str:
        """As `ChunkSource.describe`."""
        return self._reader.describe(cell)

    async def read(self, cell: ChunkCoord) -> bytes | None:
        """As `ChunkSource.read`."""
        blob = await self._read_blob(cell)
        return None if blob is None else blob.data

    async def read_stored(self, cell: ChunkCoord) -> bytes | None:
        """As `ChunkSource.read_stored`: a JPEG is checked by its header and end, raw voxels by number."""
        blob = await self._read_blob(cell)
        if blob is None:
            return None
        if self._encoding is Encoding.JPEG:
            self._naming(cell, blob.data, partial(check_jpeg, blob.data, self._stored_shape_of(cell)))
        else:
            self.decode(cell, blob.data)
        return blob.data

    def decode(self, cell: ChunkCoord, data: bytes) -> Voxels:
        """As `ChunkSource.decode`."""
        stored = self._stored_shape_of(cell)
        voxels = self._naming(cell, data, partial(self._decode_chunk, data, self._encoding, stored))
        shown = self._whole_shape.data_type
        return voxels if shown is stored.data_type else widen(voxels, shown)

    def label_chunk(self, cell: ChunkCoord, data: bytes) -> LabelChunk | None:
        """As `ChunkSource.label_chunk`."""
        shape = self._stored_shape_of(cell)
        if shape.label_block is None or shape.num_channels != 1:
            return None
        parse = partial(parse_label_chunk, data, shape.size, shape.label_block, shape.data_type.itemsize)
        return self._naming(cell, data, parse)

    async def locate(self, cell: ChunkCoord) -> StoredChunk | None:
        """As `ChunkSource.locate`."""
        return await self._reader.locate(cell)

    def on_replaced(self, callback: Callable[[], None]) -> None:
        """As `ChunkSource.on_replaced`."""
        self._reader.on_replaced(callback)

    async def _read_blob(self, cell: ChunkCoord) -> Blob | None:
        return await self._reader.read(cell, max_encoded_size(self._encoding, self._stored_shape_of(cell)))

    def _stored_shape_of(self, cell: ChunkCoord) -> ChunkShape:
        if self._grid.is_whole(cell):
            return self._stored_shape
        return self._stored_shape._replace(size=self._grid.chunk_box(cell).size)

    def _naming(self, cell: ChunkCoord, data: bytes, step: Callable[[], T]) -> T:
        """Run *step*; put the chunk's name before what it says of damaged bytes, and what they are after."""
        try:
            return step()
        except FormatError as error:
            raise FormatError(f"{self.describe(cell)}: {error}{explain_foreign(data)}") from error
