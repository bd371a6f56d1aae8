"""A source of chunks in memory, and the format it belongs to: a second implementation of the seams."""

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import FormatError
from dvidpc.formats.assembly import BlockLayout
from dvidpc.formats.codec import ChunkShape
from dvidpc.formats.data_types import DataType, Voxels
from dvidpc.formats.grid import Grid
from dvidpc.formats.payloads import UNCOMPRESSED, Payload
from dvidpc.formats.precomputed.label_chunk import LabelChunk
from dvidpc.sources.base import ChunkSource, SourceTools, StoredChunk
from dvidpc.sources.block_service import decide_service
from dvidpc.sources.channels import Channel
from dvidpc.sources.counting import ChunkCount, Progress, Survey
from dvidpc.sources.plan import Metadata, VolumePlan, VolumeSettings
from dvidpc.sources.scale_plan import ScalePlan
from dvidpc.storage.base import Lister, ObjectStore
from dvidpc.types import ChunkCoord, Point

ARRAY: NDArray[np.uint16] = (np.arange(70 * 100 * 90) % 60_000).astype("<u2").reshape(70, 100, 90)
GRID = Grid(Point(90, 100, 70), Point(10, -20, 0), Point(32, 32, 32))
BLOCK = Point(64, 64, 64)


class ArrayChunks:
    """A `ChunkSource` over ARRAY; one chunk of it is missing."""

    grid = GRID
    identity = "array"
    stored_payload: Payload | None = None
    fill: int | float | None = None

    def shape_of(self, cell: ChunkCoord) -> ChunkShape:
        return ChunkShape(GRID.chunk_box(cell).size, 1, DataType.UINT16)

    def describe(self, cell: ChunkCoord) -> str:
        return f"array chunk {tuple(cell)}"

    def __init__(self) -> None:
        self.reads = 0

    async def read(self, cell: ChunkCoord) -> bytes | None:
        self.reads += 1
        if cell == (0, 0, 0):
            return None
        (x0, y0, z0), (x1, y1, z1) = GRID.chunk_box(cell)
        return ARRAY[z0:z1, y0 + 20 : y1 + 20, x0 - 10 : x1 - 10].tobytes()

    async def read_stored(self, cell: ChunkCoord) -> bytes | None:
        return await self.read(cell)

    def decode(self, cell: ChunkCoord, data: bytes) -> Voxels:
        if len(data) != self.shape_of(cell).nbytes:
            raise FormatError(f"{self.describe(cell)} is truncated")
        return np.frombuffer(data, "<u2").reshape(self.shape_of(cell).czyx)

    def label_chunk(self, _cell: ChunkCoord, _data: bytes, /) -> LabelChunk | None:
        return None

    async def locate(self, cell: ChunkCoord) -> StoredChunk | None:
        return StoredChunk(GRID.chunk_box(cell), self.describe(cell), None)

    def on_replaced(self, callback: Callable[[], None]) -> None:
        """Never call *callback*: the array stays as it is."""


class ArrayScale:
    """A `StoredScale` of ARRAY."""

    description = "an array"
    stored_as = "array chunks"

    def of_channel(self, _number: int, /) -> "ArrayScale":
        return self

    def open(self, store: ObjectStore, tools: SourceTools) -> Sequence[ChunkSource]:
        del store, tools
        return [ArrayChunks()]

    async def count(self, store: ObjectStore, lister: Lister | None, progress: Progress) -> list[ChunkCount]:
        del store, lister, progress
        return [ChunkCount(GRID.chunk_size, GRID.chunk_count, GRID.chunk_count - 1)]

    async def survey(self, lister: Lister) -> Survey:
        del lister
        return Survey()


class Arrays:
    """A `SourceFormat` of volumes in memory."""

    async def load(self, store: ObjectStore, settings: VolumeSettings) -> Metadata:
        return Metadata(settings.directory, f"{store.url}/array", hashlib.sha256(ARRAY.tobytes()).digest())

    async def find_nearby(self, store: ObjectStore, lister: Lister | None, directory: str) -> None:
        """Find nothing: the array always exists."""

    def plan(self, metadata: Metadata, settings: VolumeSettings) -> VolumePlan:
        del metadata
        channel = Channel(0, DataType.UINT16, BlockLayout(np.dtype("<u2"), 1, 0), (UNCOMPRESSED,))
        service = decide_service(GRID, BLOCK, None, UNCOMPRESSED)
        scale = ScalePlan(0, GRID.box, (4.0, 4.0, 40.0), BLOCK, service, ArrayScale())
        return VolumePlan(settings.instance, (channel,), (scale,), (), ())
