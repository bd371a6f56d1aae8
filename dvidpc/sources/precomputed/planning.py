"""How a precomputed volume is served, decided from its `info` alone."""

# What only `check` or only segmentations need is imported when it is used, so that the server starts fast.
# ruff: noqa: PLC0415

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.assembly import BlockLayout
from dvidpc.formats.codec import ChunkShape, find_obstacle
from dvidpc.formats.data_types import DataType
from dvidpc.formats.grid import Grid
from dvidpc.formats.payloads import payloads_for, stored_payload
from dvidpc.formats.precomputed.info import Scale, Side, VolumeInfo, VolumeType, parse_info
from dvidpc.names import Companion
from dvidpc.sources.base import ChunkSource, SourceTools
from dvidpc.sources.block_service import decide_service
from dvidpc.sources.plan import (
    Channel,
    LabelType,
    Metadata,
    ScalePlan,
    ScaleProblem,
    VolumePlan,
    VolumeSettings,
    find_first_level,
    times,
)
from dvidpc.sources.precomputed.chunk_reader import ChunkReader
from dvidpc.sources.precomputed.chunk_source import PrecomputedChunks
from dvidpc.sources.precomputed.location import resolve_key
from dvidpc.sources.precomputed.pyramid import explain_pyramid
from dvidpc.storage.base import Lister, ObjectStore
from dvidpc.types import Point

if TYPE_CHECKING:
    from dvidpc.sources.counting import ChunkCount, Progress, Survey

MAX_CHANNELS = 64
"""Channels beyond which a volume is not served: each has an instance of its own for every scale."""


COMPANIONS: Final[Mapping[Side, Companion]] = MappingProxyType(
    {
        Side.MESH: Companion.MESHES,
        Side.SKELETONS: Companion.SKELETONS,
        Side.SEGMENT_PROPERTIES: Companion.ANNOTATIONS,
    }
)

_COLOURS = (3, 4)


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
    first = find_first_level(len(info.scales) + len(info.refused), settings)
    is_labels = info.volume_type is VolumeType.SEGMENTATION
    if is_labels:
        from dvidpc.sources.label_channels import LABEL_BLOCK_SIZE, LABEL_CHANNELS

        channels, block_size = LABEL_CHANNELS, LABEL_BLOCK_SIZE
    else:
        channels, block_size = plan_channels(info.data_type, info.num_channels), settings.block_size
    scales = []
    problems = [ScaleProblem(refused.level, refused.reason) for refused in info.refused]
    for scale in info.scales:
        if scale.level in settings.skip_scales:
            continue
        try:
            scales.append(_plan_scale(info, scale, metadata, block_size, channels[0]))
        except FormatError as error:
            problems.append(ScaleProblem(scale.level, str(error)))
    problems = [problem for problem in problems if problem.level not in settings.skip_scales]
    problems.sort(key=lambda problem: problem.level)
    if not scales:
        raise FormatError(f"no scale can be served: scale {problems[0].level}: {problems[0].reason}")
    label_types = settings.label_types if is_labels else ()
    plan = VolumePlan(
        settings.instance, channels, tuple(scales), tuple(problems), (), label_types, first_level=first
    )
    pyramid = [(scale.level, scale.resolution_nm) for scale in scales]
    is_map = LabelType.LABELMAP in label_types
    warnings = _labelmap_warnings(plan) if is_map else explain_pyramid(pyramid)
    directories, refused = _plan_companions(info, metadata.directory)
    return replace(
        plan,
        pyramid_warnings=tuple(warnings),
        companion_warnings=tuple(refused),
        directories=tuple(directories),
    )


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


def plan_channels(data_type: DataType, num_channels: int) -> tuple[Channel, ...]:
    """Decide what the instances of every scale show.

    Three or four channels of uint8 are colours, as `rgba8blk`. Other channels are images of their own,
    because no client knows a type for them together.

    Raises:
        FormatError: There are absurdly many channels.
    """
    dtype = np.dtype(data_type.value).newbyteorder("<")
    if data_type is DataType.UINT8 and num_channels in _COLOURS:
        return (Channel(0, data_type, BlockLayout(dtype, 4), payloads_for(data_type, 4)),)
    if num_channels > MAX_CHANNELS:
        raise FormatError(f"num_channels is {num_channels}; at most {MAX_CHANNELS} are served")
    payloads = payloads_for(data_type, 1)
    return tuple(
        Channel(number, data_type, BlockLayout(dtype, 1, number), payloads) for number in range(num_channels)
    )


def _plan_scale(
    info: VolumeInfo, scale: Scale, metadata: Metadata, block_size: int | None, channel: Channel
) -> ScalePlan:
    try:
        directory = resolve_key(metadata.directory, scale.key)
    except FormatError as error:
        raise FormatError(f"key {scale.key!r} {error}") from error
    obstacle = find_obstacle(scale.encoding, info.data_type, info.num_channels)
    if obstacle is not None:
        raise FormatError(obstacle)
    block = _block_size(block_size, scale.grids[0])
    grids = tuple(sorted(scale.grids, key=lambda grid: (grid.reads_per_block(block), grid.chunk_size)))
    as_stored = stored_payload(scale.encoding, info.num_channels)
    service = decide_service(grids[0], block, as_stored, channel.payloads[0])
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
    return ScalePlan(scale.level, grids[0].box, scale.resolution_nm, block, service, stored)


def _shown_as(info: VolumeInfo) -> DataType:
    """Return the type that voxels are converted to: DVID's labels are uint64."""
    return DataType.UINT64 if info.volume_type is VolumeType.SEGMENTATION else info.data_type


def _block_size(block_size: int | None, grid: Grid) -> Point:
    if block_size is not None:
        return Point(block_size, block_size, block_size)
    if len(set(grid.chunk_size)) > 1:
        raise FormatError(
            f'chunks of {times(grid.chunk_size)} voxels are not cubes, which block_size = "chunk" needs; '
            "give a number"
        )
    return grid.chunk_size


def _labelmap_warnings(plan: VolumePlan) -> list[str]:
    """Name the scales that a labelmap cannot have, because each of its scales halves the one before."""
    left_out = plan.scales[len(plan.labelmap_scales) :]
    if not left_out:
        return []
    levels = ", ".join(str(scale.level) for scale in left_out)
    end = left_out[0].level
    reason = "it does not halve the resolution of the one before along x, y and z, from the same corner"
    return [f"the labelmap ends before scale {end}: {reason}; not served by it: scale {levels}"]
