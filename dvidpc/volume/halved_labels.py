"""Labels at half the resolution, made from a stored scale by DVID's rule, for volumes that have one scale."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.codec import ChunkShape
from dvidpc.formats.data_types import DataType, Voxels
from dvidpc.formats.dvid.downres import halve_labels
from dvidpc.formats.grid import Box, Grid
from dvidpc.formats.payloads import Payload
from dvidpc.formats.precomputed.label_chunk import LabelChunk
from dvidpc.sources.base import ChunkSource, StoredChunk
from dvidpc.types import ChunkCoord, Point
from dvidpc.volume.cutout import read_box
from dvidpc.volume.grid_store import GridStore

_CHUNK_SIZE: Final = Point(64, 64, 64)
_AT_A_TIME: Final = 4
"""Chunks that may be made at a time: each takes 16 MiB of finer voxels."""


class HalvedLabels:
    """A `ChunkSource` of uint64 labels; its chunks are made, not stored.

    Args:
        finer: The stored scale.
        sources: What *finer* reads from, the first copy first.
    """

    stored_payload: Payload | None = None
    fill: int | float | None = None

    def __init__(self, finer: GridStore, sources: Sequence[ChunkSource]) -> None:
        self._finer = finer
        self._sources = sources
        self._turns = asyncio.Semaphore(_AT_A_TIME)
        start, stop = finer.grid.box
        corner = Point(*(at // 2 for at in start))
        end = (-(-at // 2) for at in stop)
        size = Point(*(last - first for first, last in zip(corner, end, strict=True)))
        self.grid: Final = Grid(size, corner, _CHUNK_SIZE)
        self.identity: Final = f"{sources[0].identity} halved"

    def shape_of(self, cell: ChunkCoord) -> ChunkShape:
        """As `ChunkSource.shape_of`."""
        return ChunkShape(self.grid.chunk_box(cell).size, 1, DataType.UINT64)

    def describe(self, cell: ChunkCoord) -> str:
        """As `ChunkSource.describe`."""
        start = ",".join(map(str, self.grid.chunk_box(cell).start))
        return f"the voxels at {start} at half the resolution of {self._sources[0].identity}"

    async def read(self, cell: ChunkCoord) -> bytes | None:
        """As `ChunkSource.read`: make a chunk; None if no finer chunk it covers is stored."""
        box = self.grid.chunk_box(cell)
        finer = Box(*(Point(*(2 * at for at in corner)) for corner in box))
        async with self._turns:
            voxels = await read_box(self._finer, finer)
            return None if voxels is None else await self._finer.in_pool(partial(_halve, voxels))

    async def read_stored(self, cell: ChunkCoord) -> bytes | None:
        """As `ChunkSource.read_stored`: chunks are plain voxels."""
        return await self.read(cell)

    def decode(self, cell: ChunkCoord, data: bytes) -> Voxels:
        """As `ChunkSource.decode`."""
        shape = self.shape_of(cell)
        if len(data) != shape.nbytes:
            raise FormatError(f"{self.describe(cell)}: {len(data)} bytes, not {shape.nbytes}")
        return np.frombuffer(data, shape.dtype).reshape(shape.czyx)

    def label_chunk(self, _cell: ChunkCoord, _data: bytes, /) -> LabelChunk | None:
        """As `ChunkSource.label_chunk`: chunks are plain voxels."""
        return None

    async def locate(self, _cell: ChunkCoord, /) -> StoredChunk | None:
        """As `ChunkSource.locate`: no chunk is stored."""
        return None

    def on_replaced(self, callback: Callable[[], None]) -> None:
        """As `ChunkSource.on_replaced`."""
        for source in self._sources:
            source.on_replaced(callback)


def _halve(voxels: Voxels) -> bytes:
    return halve_labels(voxels[0]).tobytes()
