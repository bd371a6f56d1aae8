"""How a precomputed volume is served, decided from its `info` alone."""

# What only `check` or only segmentations need is imported when it is used, so that the server starts fast.
# ruff: noqa: PLC0415

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from dvidpc.errors import FormatError
from dvidpc.formats.codec import ChunkShape, find_obstacle
from dvidpc.formats.data_types import DataType
from dvidpc.formats.grid import Grid
from dvidpc.formats.payloads import stored_payload
from dvidpc.formats.precomputed.info import Scale, Side, VolumeInfo, VolumeType, parse_info
from dvidpc.names import Companion
from dvidpc.sources.base import ChunkSource, SourceTools
from dvidpc.sources.keys import resolve_key
from dvidpc.sources.plan import Metadata, VolumePlan, VolumeSettings
from dvidpc.sources.precomputed.chunk_reader import ChunkReader
from dvidpc.sources.precomputed.chunk_source import PrecomputedChunks
from dvidpc.sources.scale_plan import ScalePlan, ScaleProblem, times
from dvidpc.sources.volume_planning import Outline, join_scales, outline_volume
from dvidpc.storage.base import Lister, ObjectStore

if TYPE_CHECKING:
    from dvidpc.sources.counting import ChunkCount, Progress, Survey

COMPANIONS: Final[Mapping[Side, Companion]] = MappingProxyType(
    {
        Side.MESH: Companion.MESHES,
        Side.SKELETONS: Companion.SKELETONS,
        Side.SEGMENT_PROPERTIES: Companion.ANNOTATIONS,
    }
)


@dataclass(frozen=True, slots=True)
class PrecomputedScale:
    """A `StoredScale` of a precomputed volume."""

    scale: Scale
    directory: str
    """Where its chunks lie, as the store knows it."""
    volume: str
    """The directory of the volume, likewise."""
    others: frozenset[str]
    """The directories of all scales of the volume."""
    grids: tuple[Grid, ...]
    """The lattices of its copies, the one that needs the fewest reads per block first."""
    data_type: DataType
    """Of the stored voxels."""
    num_channels: int
    shown_as: DataType
    """What voxels are converted to."""
    metadata_digest: str

    @property
    def description(self) -> str:
        """As `StoredScale.description`."""
        scale = self.scale
        sharded = f"sharded ({scale.sharding.hash})" if scale.sharding else "unsharded"
        hidden = ", hidden" if scale.hidden else ""
        copies = " or ".join(times(grid.chunk_size) for grid in self.grids)
        offset = ",".join(map(str, scale.offset))
        widened = f" (served as {self.shown_as})" if self.shown_as is not self.data_type else ""
        return (
            f"{times(scale.size)} voxels of {times(scale.resolution_nm)} nm at {offset}, "
            f"{self.num_channels} x {self.data_type}{widened} {scale.encoding}, {sharded}, "
            f"chunks of {copies}{hidden}"
        )

    @property
    def stored_as(self) -> str:
        """As `StoredScale.stored_as`."""
        sharded = ", sharded" if self.scale.sharding else ""
        return f"{self.scale.encoding} chunks of {times(self.grids[0].chunk_size)}{sharded}"

    def of_channel(self, _number: int, /) -> "PrecomputedScale":
        """As `StoredScale.of_channel`: a chunk holds all channels."""
        return self

    def open(self, store: ObjectStore, tools: SourceTools) -> Sequence[ChunkSource]:
        """As `StoredScale.open`."""
        return [self._open_copy(grid, store, tools) for grid in self.grids]

    async def count(
        self, store: ObjectStore, lister: Lister | None, progress: "Progress"
    ) -> "list[ChunkCount]":
        """As `StoredScale.count`."""
        from dvidpc.sources.precomputed.census import take_census

        return await take_census(store, lister, self.scale.sharding, self.directory, self.grids, progress)

    async def survey(self, lister: Lister) -> "Survey":
        """As `StoredScale.survey`."""
        from dvidpc.sources.precomputed.object_names import ObjectNames
        from dvidpc.sources.precomputed.survey import survey_scale

        names = ObjectNames(self.scale.sharding, self.grids)
        return await survey_scale(lister, self.volume, self.directory, self.others, names)

    def _open_copy(self, grid: Grid, store: ObjectStore, tools: SourceTools) -> PrecomputedChunks:
        chunk_size = "x".join(map(str, grid.chunk_size))
        shape = ChunkShape(grid.chunk_size, self.num_channels, self.data_type, self.scale.label_block)
        make = PrecomputedChunks
        if shape.label_block is not None:
            from dvidpc.sources.precomputed.google_chunks import GoogleChunks, are_google

            make = GoogleChunks if are_google(shape) else PrecomputedChunks
        return make(
            ChunkReader(store, self.directory, self.scale, grid, tools.indexes),
            grid,
            self.scale.encoding,
            shape,
            f"{store.identity} {self.directory} {chunk_size} {self.metadata_digest}",
            tools.isolation,
            self.shown_as,
        )


def plan_volume(metadata: Metadata, settings: VolumeSettings) -> VolumePlan:
    """Decide how to serve a volume.

    Raises:
        ConfigError: `skip_scales` does not fit the volume.
        FormatError: The `info` cannot be understood, or no scale can be served; the message names it.
    """
    try:
        return _plan(parse_info(metadata.data), metadata, settings)
    except FormatError as error:
        raise FormatError(f"{metadata.url}: {error}") from error


def _plan(info: VolumeInfo, metadata: Metadata, settings: VolumeSettings) -> VolumePlan:
    is_labels = info.volume_type is VolumeType.SEGMENTATION
    outline = outline_volume(settings, info.data_type, info.num_channels, is_labels=is_labels)
    levels = [(scale.level, partial(_plan_scale, info, scale, metadata, outline)) for scale in info.scales]
    refused = [ScaleProblem(refused.level, refused.reason) for refused in info.refused]
    directories, refusals = _plan_companions(info, metadata.directory)
    plan = join_scales(outline, levels, refused)
    return replace(plan, companion_warnings=tuple(refusals), directories=tuple(directories))


def _plan_companions(info: VolumeInfo, directory: str) -> tuple[list[tuple[Companion, str]], list[str]]:
    """Return what lies beside the chunks, and where; and why something of it is not served."""
    directories = []
    refusals = [
        f"no {COMPANIONS[refused.side]} are served: {refused.reason}" for refused in info.refused_sides
    ]
    for side, key in info.sides.items():
        try:
            directories.append((COMPANIONS[side], resolve_key(directory, key)))
        except FormatError as error:
            refusals.append(f"no {COMPANIONS[side]} are served: {side} {key!r} {error}")
    return directories, refusals


def _plan_scale(info: VolumeInfo, scale: Scale, metadata: Metadata, outline: Outline) -> ScalePlan:
    try:
        directory = resolve_key(metadata.directory, scale.key)
    except FormatError as error:
        raise FormatError(f"key {scale.key!r} {error}") from error
    obstacle = find_obstacle(scale.encoding, info.data_type, info.num_channels)
    if obstacle is not None:
        raise FormatError(obstacle)
    block = outline.block_size(scale.grids[0])
    grids = tuple(sorted(scale.grids, key=lambda grid: (grid.reads_per_block(block), grid.chunk_size)))
    as_stored = stored_payload(scale.encoding, info.num_channels)
    stored = PrecomputedScale(
        scale,
        directory,
        metadata.directory,
        frozenset(posixpath.normpath(posixpath.join(metadata.directory, other.key)) for other in info.scales),
        grids,
        info.data_type,
        info.num_channels,
        _shown_as(info),
        metadata.digest,
    )
    return outline.plan_scale(scale.level, grids[0], scale.resolution_nm, as_stored, stored)


def _shown_as(info: VolumeInfo) -> DataType:
    """Return the type that voxels are converted to: DVID's labels are uint64."""
    return DataType.UINT64 if info.volume_type is VolumeType.SEGMENTATION else info.data_type
