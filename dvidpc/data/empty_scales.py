"""Notices scales without chunks while they are served: placeholders that clients see as black.

No request is sent for it. The reads that clients cause are counted until the first chunk of a scale is found.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from dvidpc.formats.codec import ChunkShape
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.grid import Grid
from dvidpc.formats.payloads import Payload
from dvidpc.formats.precomputed.label_chunk import LabelChunk
from dvidpc.sources.base import ChunkSource, StoredChunk
from dvidpc.types import ChunkCoord

log = logging.getLogger(__name__)

ENOUGH: Final = 64
"""Absent chunks of a scale after which it is named, if none was found and another scale has some."""


@dataclass(slots=True)
class EmptyScales:
    """The scales of one volume of which no chunk was found so far."""

    alias: str
    """The volume's store in the configuration."""
    skipped: Collection[int]
    """Scales that the configuration leaves out already."""
    _found: set[int] = field(default_factory=set)
    _absent: dict[int, set[ChunkCoord]] = field(default_factory=dict)
    _named: set[int] = field(default_factory=set)

    def note_found(self, level: int) -> None:
        """Note that a scale has a chunk."""
        if level not in self._found:
            self._found.add(level)
            self._absent.pop(level, None)
            self._name_empty()

    def note_absent(self, level: int, cell: ChunkCoord) -> None:
        """Note that a chunk of a scale is not stored."""
        if level in self._found or level in self._named:
            return
        cells = self._absent.setdefault(level, set())
        if len(cells) < ENOUGH:
            cells.add(cell)
        if len(cells) == ENOUGH:
            self._name_empty()

    def _name_empty(self) -> None:
        """Log each scale that seems to be empty, once."""
        due = {level for level, cells in self._absent.items() if len(cells) == ENOUGH} if self._found else ()
        for level in sorted(due):
            del self._absent[level]
            self._named.add(level)
            log.warning(
                "scale seems to be empty: store %s: none of the first %d chunks read of scale %d is stored, "
                "while scale %d has chunks; absent chunks are served as black; if it is a placeholder, set "
                "[store.%s] skip_scales = %s",
                self.alias,
                ENOUGH,
                level,
                min(self._found),
                self.alias,
                sorted({*self.skipped, *self._named}),
            )


@dataclass(frozen=True, slots=True)
class WatchedChunks:
    """A `ChunkSource` that tells `EmptyScales` what its reads find."""

    source: ChunkSource
    level: int
    """The scale's position in the metadata."""
    watch: EmptyScales

    @property
    def grid(self) -> Grid:
        """As `ChunkSource.grid`."""
        return self.source.grid

    @property
    def identity(self) -> str:
        """As `ChunkSource.identity`."""
        return self.source.identity

    @property
    def stored_payload(self) -> Payload | None:
        """As `ChunkSource.stored_payload`."""
        return self.source.stored_payload

    @property
    def fill(self) -> int | float | None:
        """As `ChunkSource.fill`."""
        return self.source.fill

    def shape_of(self, cell: ChunkCoord) -> ChunkShape:
        """As `ChunkSource.shape_of`."""
        return self.source.shape_of(cell)

    def describe(self, cell: ChunkCoord) -> str:
        """As `ChunkSource.describe`."""
        return self.source.describe(cell)

    async def read(self, cell: ChunkCoord) -> bytes | None:
        """As `ChunkSource.read`."""
        return self._note(cell, await self.source.read(cell))

    async def read_stored(self, cell: ChunkCoord) -> bytes | None:
        """As `ChunkSource.read_stored`."""
        return self._note(cell, await self.source.read_stored(cell))

    def decode(self, cell: ChunkCoord, data: bytes) -> Voxels:
        """As `ChunkSource.decode`."""
        return self.source.decode(cell, data)

    def label_chunk(self, cell: ChunkCoord, data: bytes, /) -> LabelChunk | None:
        """As `ChunkSource.label_chunk`."""
        return self.source.label_chunk(cell, data)

    async def locate(self, cell: ChunkCoord, /) -> StoredChunk | None:
        """As `ChunkSource.locate`."""
        return await self.source.locate(cell)

    def on_replaced(self, callback: Callable[[], None]) -> None:
        """As `ChunkSource.on_replaced`."""
        self.source.on_replaced(callback)

    def _note(self, cell: ChunkCoord, data: bytes | None) -> bytes | None:
        if data is None and self.source.fill:
            return None  # nothing is missing
        if data is None:
            self.watch.note_absent(self.level, cell)
        else:
            self.watch.note_found(self.level)
        return data
