"""The plan of a volume: everything that is decided about it, once, from its metadata.

Server, `dvidpc check`, the page and the log table all read the same `VolumePlan`; none of them decides
anything again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Final

import mmh3

from dvidpc.errors import ConfigError
from dvidpc.formats.arrays.selection import ArraySelection
from dvidpc.formats.precomputed.annotation_settings import AnnotationSettings
from dvidpc.formats.window import Window
from dvidpc.names import Companion, companion_name, full_name, instance_name, twin_name
from dvidpc.sources.channels import Channel
from dvidpc.sources.companion_plan import CompanionPlan
from dvidpc.sources.scale_plan import InstancePlan, LabelType, ScalePlan, ScaleProblem, is_finer

if TYPE_CHECKING:
    from dvidpc.sources.collection_plan import CollectionPlan

RESOLUTION_TOLERANCE: Final = 0.02
"""By how much the ratio of two resolutions may differ from a power of two, as a fraction of it."""


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
    label_types: tuple[LabelType, ...] = (LabelType.LABELMAP,)
    """How a segmentation is served; of no meaning for an image."""
    engine: str = "ngprecomputed"
    """Which format it is in: a key of `engines.ENGINES`."""
    skip_scales: frozenset[int] = frozenset()
    """Scales that are left out, by their position in the metadata."""
    label_index: str | None = None
    """The URL of the label index; None: there is none."""
    window: Window | None = None
    """How an image is shown as 8 bits; None: as it is stored."""
    full: bool = False
    """Whether an image that has a window is served as it is stored too."""
    is_labels: bool | None = None
    """Whether arrays are a segmentation; None: as their metadata says."""
    arrays: ArraySelection = field(default_factory=ArraySelection)
    """What is served of arrays."""
    sync: str | None = None
    """The segmentation that annotations belong to; None: the only one of the configuration."""
    annotations: AnnotationSettings = field(default_factory=AnnotationSettings)
    """How annotations are served; of no meaning for anything else."""


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


@dataclass(frozen=True, slots=True)
class VolumePlan:
    """Everything that is decided about a volume."""

    name: str
    """The name of the finest instance."""
    channels: tuple[Channel, ...]
    """What the instances of every scale show."""
    scales: tuple[ScalePlan, ...]
    """The scales that are served, finest first; at least one, unless it is a collection of annotations."""
    problems: tuple[ScaleProblem, ...]
    """The scales that are not."""
    pyramid_warnings: tuple[str, ...]
    """What some clients will misunderstand about the resolutions of the scales."""
    label_types: tuple[LabelType, ...] = ()
    """How the volume is served as a segmentation; empty: it is an image."""
    first_level: int = 0
    """Position of the first scale that is not left out, which clients count as 0."""
    directories: tuple[tuple[Companion, str], ...] = ()
    """What lies beside the segmentation, and where."""
    companion_warnings: tuple[str, ...] = ()
    """What lies beside it and is not served, and why."""
    annotation_warnings: tuple[str, ...] = ()
    """What was guessed or does not fit about annotations, and keys for annotations that have no effect."""
    collection: "CollectionPlan | None" = None
    """How annotations are served; None: it holds voxels."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings."""
        return (*self.pyramid_warnings, *self.companion_warnings, *self.annotation_warnings)

    @property
    def is_finest_first(self) -> bool:
        """Whether no scale is finer than the one before it."""
        return not any(
            is_finer(fine.resolution_nm, coarse.resolution_nm) for coarse, fine in pairwise(self.scales)
        )

    @property
    def labelblk_name(self) -> str:
        """The name of the finest `labelblk` instance, which stands back if there is a labelmap too."""
        return twin_name(self.name) if LabelType.LABELMAP in self.label_types else self.name

    @property
    def companions(self) -> tuple[CompanionPlan, ...]:
        """The instances of what lies beside the segmentation."""
        return tuple(
            CompanionPlan(companion_name(self.name, companion), companion, directory)
            for companion, directory in self.directories
        )

    @property
    def labelmap_scales(self) -> tuple[ScalePlan, ...]:
        """The scales that a labelmap has: each has half the resolution of the one before, as DVID assumes."""
        base = self.scales[0]
        scales = takewhile(lambda pair: _is_halved(base, pair[1], pair[0]), enumerate(self.scales))
        return tuple(scale for _, scale in scales)

    @property
    def adds_level(self) -> bool:
        """Whether a labelmap gets a second level, made from its only one, as neuroglancer needs two."""
        return LabelType.LABELMAP in self.label_types and len(self.labelmap_scales) == 1

    def instances_of(self, scale: ScalePlan) -> Iterator[InstancePlan]:
        """Yield the instances that show *scale*."""
        level = scale.level - self.first_level
        if LabelType.LABELMAP in self.label_types and scale in self.labelmap_scales:
            yield InstancePlan(self.name, level, scale, self.channels[0], LabelType.LABELMAP)
        if LabelType.LABELBLK in self.label_types:
            name = instance_name(self.labelblk_name, 0, level)
            yield InstancePlan(name, level, scale, self.channels[0], LabelType.LABELBLK)
        if not self.label_types:
            for channel in self.channels:
                base = full_name(self.name) if channel.is_full else self.name
                yield InstancePlan(instance_name(base, channel.number, level), level, scale, channel)


def _is_halved(base: ScalePlan, scale: ScalePlan, levels: int) -> bool:
    """Return whether *scale* is 2^*levels* times coarser than *base* along x, y and z, from its corner."""
    factor = 2**levels
    pairs = zip(base.resolution_nm, scale.resolution_nm, strict=True)
    is_coarser = all(abs(coarse / fine - factor) <= factor * RESOLUTION_TOLERANCE for fine, coarse in pairs)
    corner = tuple(at // factor for at in base.box.start)
    return scale.level == base.level + levels and is_coarser and scale.box.start == corner


def find_first_level(total: int, settings: VolumeSettings) -> int:
    """Return the position of the first scale that is not left out.

    Args:
        total: How many scales the metadata has.
        settings: What the configuration says of the volume.

    Raises:
        ConfigError: A scale to leave out does not exist, or none would be left.
    """
    skipped = settings.skip_scales
    place = f"[store.{settings.alias}] skip_scales"
    if unknown := sorted(level for level in skipped if level >= total):
        raise ConfigError(f"{place}: there is no scale {unknown[0]}; the volume has scales 0 to {total - 1}")
    left = [level for level in range(total) if level not in skipped]
    if not left:
        raise ConfigError(f"{place}: all {total} scales are left out; leave at least one in")
    return left[0]
