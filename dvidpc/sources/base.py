"""The seam: what every source offers of one scale, and of its chunks.

Small and without default behaviour. `sources/precomputed` is the first implementation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.formats.codec import ChunkShape
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.grid import Box, Grid
from dvidpc.formats.payloads import Payload
from dvidpc.formats.precomputed.label_chunk import LabelChunk
from dvidpc.sources.isolation import Isolation
from dvidpc.storage.base import Lister, ObjectStore
from dvidpc.types import ByteRange, ChunkCoord

if TYPE_CHECKING:
    from dvidpc.sources.counting import ChunkCount, Progress, Survey


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """Where a chunk lies in the bucket."""

    box: Box
    """The voxels it holds."""
    url: str
    """Its object."""
    where: ByteRange | None
    """Which bytes of the object; None: all."""
    data_encoding: str = "raw"
    """How these bytes are compressed besides the chunk's own encoding: `raw` or `gzip`."""


class ChunkSource(Protocol):
    """The chunks of one copy of one scale. Any task may call it; calls may overlap.

    A missing chunk is None; a chunk that could not be read raises.
    """

    @property
    def grid(self) -> Grid:
        """The lattice of chunks."""

    @property
    def identity(self) -> str:
        """Names this content for cache keys: store, place and metadata; stable over restarts."""

    @property
    def stored_payload(self) -> Payload | None:
        """The payload that a stored chunk can be passed through as; None: chunks must be decoded."""

    @property
    def fill(self) -> int | float | None:
        """The value of voxels of a missing chunk; None or 0: blocks without any chunk are left out."""

    def shape_of(self, cell: ChunkCoord) -> ChunkShape:
        """Return what a chunk holds once decoded."""

    def describe(self, cell: ChunkCoord) -> str:
        """Return the chunk's name for messages: its object, and which part of the object."""

    async def read(self, cell: ChunkCoord) -> bytes | None:
        """Return the encoded chunk; None if the volume does not store it.

        Raises:
            FormatError: The stored bytes break the format.
            StoreError: The bucket failed; whether the chunk is stored is not known.
        """

    async def read_stored(self, cell: ChunkCoord) -> bytes | None:
        """Return a chunk as `stored_payload`, checked but not decoded; None if the volume does not store it.

        Raises:
            FormatError: The chunk is damaged; the message names it.
            StoreError: The bucket failed; whether the chunk is stored is not known.
        """

    def decode(self, cell: ChunkCoord, data: bytes) -> Voxels:
        """Return the voxels of a chunk, `[c, z, y, x]`; takes milliseconds, runs in any thread.

        Raises:
            FormatError: The chunk is damaged; the message names it.
        """

    def label_chunk(self, cell: ChunkCoord, data: bytes, /) -> LabelChunk | None:
        """Return the view of a chunk of labels from which voxels can be read without decoding all of them.

        Returns:
            None if chunks are not stored as compressed_segmentation of one channel.

        Raises:
            FormatError: The chunk is damaged; the message names it.
        """

    async def locate(self, cell: ChunkCoord, /) -> StoredChunk | None:
        """Return where the encoded chunk lies; None if it is known not to be stored.

        Raises:
            FormatError: An index breaks the format.
            StoreError: The bucket failed.
        """

    def on_replaced(self, callback: Callable[[], None]) -> None:
        """Have *callback* called whenever stored chunks turn out to have been replaced."""


@dataclass(frozen=True, slots=True)
class SourceTools:
    """What chunk sources share."""

    indexes: LoadingCache
    """Keeps indexes, such as those of shards."""
    isolation: Isolation
    """Decodes what could crash this process."""


class StoredScale(Protocol):
    """One scale as its format knows it."""

    @property
    def description(self) -> str:
        """What is stored, in full, for `dvidpc check`."""

    @property
    def stored_as(self) -> str:
        """How chunks are stored, in short, for the log table and the page."""

    def of_channel(self, number: int, /) -> "StoredScale":
        """Return the scale as it is opened for one channel; itself if its chunks hold all channels."""

    def open(self, store: ObjectStore, tools: SourceTools) -> Sequence[ChunkSource]:
        """Return the copies of the scale, each complete; the one that needs the fewest reads first."""

    async def count(
        self, store: ObjectStore, lister: Lister | None, progress: "Progress"
    ) -> "list[ChunkCount]":
        """Count the stored chunks of each copy.

        Args:
            store: Reads indexes.
            lister: Lists objects; None: objects are asked for one by one.
            progress: Called as the count goes on.

        Raises:
            StoreError: The bucket failed, or there are too many objects to ask for each.
        """

    async def survey(self, lister: Lister) -> "Survey":
        """Look at the first pages of listings, to find out why no chunk of the scale is found.

        Raises:
            StoreError: The bucket failed or refused to list.
        """
