"""The seam between formats and the server: the plan of a volume, and the chunks of one scale.

A `SourceFormat` loads the metadata and makes a plan of it in one pure step; its scales open the chunks.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import mmh3

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.formats.assembly import BlockLayout
from dvidpc.formats.codec import ChunkShape
from dvidpc.formats.data_types import DataType, Voxels
from dvidpc.formats.grid import Box, Grid
from dvidpc.formats.payloads import JPEG, Payload, payloads_for
from dvidpc.names import instance_name
from dvidpc.sources.counting import ChunkCount, Progress
from dvidpc.sources.isolation import Isolation
from dvidpc.storage.base import Lister, ObjectStore
from dvidpc.types import ByteRange, ChunkCoord, Point


@dataclass(frozen=True, slots=True)
class VolumeSettings:
    """What the configuration says of one volume."""

    alias: str
    """The `[store.<alias>]` it comes from."""
    instance: str
    """The name of its finest scale; see `names.instance_name` for the others."""
    block_size: int | None
    """Voxels along each edge of a block; None: blocks are as large as chunks, as in DVID."""
    directory: str = ""
    """Where the volume lies in its store."""
    engine: str = "ngprecomputed"
    """Which format it is in: a key of `engines.ENGINES`."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What describes a volume, as read from its store; equal as long as nothing was rewritten."""

    directory: str
    """Where the volume lies, redirects followed, as the store knows it."""
    url: str
    """The name of the metadata for messages."""
    data: bytes
    """The metadata itself, such as the `info` file."""

    @property
    def digest(self) -> str:
        """A name for exactly this metadata, the same on every replica and after a restart."""
        return mmh3.mmh3_x64_128_digest(self.data).hex()


class Service(StrEnum):
    """How the blocks of a scale come to be, where a client asks for the default payload."""

    PASSED_THROUGH = "passed through"
    """A stored chunk is a block's payload as it is, except at the volume's upper end."""
    RE_ENCODED = "re-encoded"
    """A block is one chunk, decoded and encoded in another way."""
    RE_GRIDDED = "re-gridded"
    """A block is assembled from the chunks it touches."""


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

    def check(self, cell: ChunkCoord, data: bytes) -> None:
        """Make sure that stored bytes may be passed through; cheap enough for the event loop.

        Raises:
            FormatError: They are damaged; the message names the chunk.
        """

    def decode(self, cell: ChunkCoord, data: bytes) -> Voxels:
        """Return the voxels of a chunk, `[c, z, y, x]`; takes milliseconds, runs in any thread.

        Raises:
            FormatError: The chunk is damaged; the message names it.
        """

    async def locate(self, cell: ChunkCoord) -> StoredChunk | None:
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

    def open(self, store: ObjectStore, tools: SourceTools) -> Sequence[ChunkSource]:
        """Return the copies of the scale, each complete; the one that needs the fewest reads first."""

    async def count(self, store: ObjectStore, lister: Lister | None, progress: Progress) -> list[ChunkCount]:
        """Count the stored chunks of each copy.

        Args:
            store: Reads indexes.
            lister: Lists objects; None: objects are asked for one by one.
            progress: Called as the count goes on.

        Raises:
            StoreError: The bucket failed, or there are too many objects to ask for each.
        """


@dataclass(frozen=True, slots=True)
class Channel:
    """What one instance shows of the chunks of its scale."""

    number: int
    """The first channel it shows."""
    data_type: DataType
    layout: BlockLayout

    @property
    def num_values(self) -> int:
        """Values of a voxel as clients see it."""
        return self.layout.num_values


@dataclass(frozen=True, slots=True)
class ScalePlan:
    """One scale that is served."""

    level: int
    """Position in the volume; 0 is the finest."""
    box: Box
    """All voxels of the scale."""
    resolution_nm: tuple[float, float, float]
    block_size: Point
    service: Service
    stored: StoredScale


@dataclass(frozen=True, slots=True)
class ScaleProblem:
    """One scale that cannot be served, and why."""

    level: int
    reason: str
    """One line that names the key or package at fault."""


@dataclass(frozen=True, slots=True)
class InstancePlan:
    """One data instance of a volume."""

    name: str
    scale: ScalePlan
    channel: Channel

    @property
    def default_payload(self) -> Payload:
        """How blocks are written where a client asks for nothing in particular."""
        return payloads_for(self.channel.data_type, self.channel.num_values)[0]

    @property
    def served_how(self) -> str:
        """What is done to a chunk before a client gets it, by default, in words."""
        is_jpeg = self.default_payload is JPEG
        cubes = f"{times(self.scale.block_size)} blocks"
        match self.scale.service:
            case Service.PASSED_THROUGH:
                return "as stored"
            case Service.RE_ENCODED:
                return "encoded as JPEG" if is_jpeg else "decoded"
            case Service.RE_GRIDDED:
                return f"cut into {cubes}, encoded as JPEG" if is_jpeg else f"decoded, cut into {cubes}"


@dataclass(frozen=True, slots=True)
class VolumePlan:
    """Everything that is decided about a volume, once for server, `check`, page and log table."""

    name: str
    """The name of the finest instance."""
    channels: tuple[Channel, ...]
    """What the instances of every scale show."""
    scales: tuple[ScalePlan, ...]
    """The scales that are served, finest first; at least one."""
    problems: tuple[ScaleProblem, ...]
    """The scales that are not."""
    warnings: tuple[str, ...]
    """What some clients will misunderstand."""

    def instances_of(self, scale: ScalePlan) -> Iterator[InstancePlan]:
        """Yield the instances that show *scale*."""
        for channel in self.channels:
            yield InstancePlan(instance_name(self.name, channel.number, scale.level), scale, channel)


class SourceFormat(Protocol):
    """One format of volumes; registered in `engines.ENGINES`."""

    async def load(self, store: ObjectStore, directory: str) -> Metadata:
        """Read what describes the volume below *directory*.

        Raises:
            FormatError: There is none, or it sends its reader nowhere.
            StoreError: The bucket failed.
        """

    def plan(self, metadata: Metadata, settings: VolumeSettings) -> VolumePlan:
        """Decide how the volume is served; pure.

        Raises:
            FormatError: The metadata cannot be understood, or no scale can be served.
        """


def decide_service(grid: Grid, block_size: Point, stored: Payload | None, default: Payload) -> Service:
    """Decide how the blocks of a scale come to be.

    Args:
        grid: Of the copy that is read first.
        block_size: Extent of a block.
        stored: The payload that stored chunks already are; None: they must be decoded.
        default: The payload that clients get if they ask for none.
    """
    if grid.chunk_size != block_size or any(o % b for o, b in zip(grid.offset, block_size, strict=True)):
        return Service.RE_GRIDDED
    return Service.PASSED_THROUGH if stored is default else Service.RE_ENCODED


def times(numbers: Sequence[float]) -> str:
    """Return extents or resolutions along x, y and z as people write them: `4 x 4 x 40`."""
    return " x ".join(f"{number:.10g}" for number in numbers)
