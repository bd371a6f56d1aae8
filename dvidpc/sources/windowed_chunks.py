"""Shows the chunks of any source as 8 bits, through a window."""

from collections.abc import Callable
from dataclasses import dataclass

from dvidpc.formats.codec import ChunkShape
from dvidpc.formats.data_types import DataType, Voxels
from dvidpc.formats.grid import Grid
from dvidpc.formats.payloads import Payload
from dvidpc.formats.precomputed.label_chunk import LabelChunk
from dvidpc.formats.window import Window
from dvidpc.formats.window_scaling import scale_value, scale_voxels
from dvidpc.sources.base import ChunkSource, StoredChunk
from dvidpc.types import ChunkCoord


@dataclass(frozen=True, slots=True)
class WindowedChunks:
    """A `ChunkSource` of uint8: the chunks of another one, scaled."""

    source: ChunkSource
    window: Window

    @property
    def grid(self) -> Grid:
        """As `ChunkSource.grid`."""
        return self.source.grid

    @property
    def identity(self) -> str:
        """As `ChunkSource.identity`."""
        return f"{self.source.identity} {self.window!r}"

    @property
    def stored_payload(self) -> Payload | None:
        """As `ChunkSource.stored_payload`: what is stored is never what is shown."""
        return None

    @property
    def fill(self) -> int | float | None:
        """As `ChunkSource.fill`, as it is shown."""
        fill = self.source.fill
        if fill is None:
            return None
        return scale_value(fill, self.source.shape_of(ChunkCoord(0, 0, 0)).dtype, self.window)

    def shape_of(self, cell: ChunkCoord) -> ChunkShape:
        """As `ChunkSource.shape_of`."""
        return self.source.shape_of(cell)._replace(data_type=DataType.UINT8, label_block=None)

    def describe(self, cell: ChunkCoord) -> str:
        """As `ChunkSource.describe`."""
        return self.source.describe(cell)

    async def read(self, cell: ChunkCoord) -> bytes | None:
        """As `ChunkSource.read`: the chunk as it is stored."""
        return await self.source.read(cell)

    async def read_stored(self, cell: ChunkCoord) -> bytes | None:
        """As `ChunkSource.read_stored`; never needed, as no chunk is a payload."""
        return await self.read(cell)

    def decode(self, cell: ChunkCoord, data: bytes) -> Voxels:
        """As `ChunkSource.decode`."""
        return scale_voxels(self.source.decode(cell, data), self.window)

    def label_chunk(self, _cell: ChunkCoord, _data: bytes, /) -> LabelChunk | None:
        """As `ChunkSource.label_chunk`: voxels are no labels."""
        return None

    async def locate(self, cell: ChunkCoord, /) -> StoredChunk | None:
        """As `ChunkSource.locate`."""
        return await self.source.locate(cell)

    def on_replaced(self, callback: Callable[[], None]) -> None:
        """As `ChunkSource.on_replaced`."""
        self.source.on_replaced(callback)
