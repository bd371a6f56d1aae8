"""Which scales of which instances are read, and which part of each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dvidpc.errors import ConfigError
from dvidpc.formats.grid import Box, CellRange
from dvidpc.names import instance_name
from dvidpc.sources.base import ChunkSource
from dvidpc.sources.plan import RESOLUTION_TOLERANCE, VolumePlan
from dvidpc.sources.scale_plan import InstancePlan, Resolution
from dvidpc.types import Point
from dvidpc.warm.prefetch_options import ScaleChoice


@dataclass(frozen=True, slots=True)
class Target:
    """One scale of one instance, and the part of it that is read."""

    instance: str
    level: int
    copies: Sequence[ChunkSource]
    """As `StoredScale.open` returns them; chunks that one does not store are read from the next."""
    box: Box
    """In voxels of the scale."""

    @property
    def source(self) -> ChunkSource:
        """The copy that is read first."""
        return self.copies[0]

    @property
    def cells(self) -> CellRange:
        """The chunks of that copy."""
        return self.source.grid.cells_touching(self.box)

    @property
    def name(self) -> str:
        """The target for messages."""
        return f"{self.instance} scale {self.level}"


def scales_of_instance(plan: VolumePlan, name: str) -> list[InstancePlan]:
    """Return the scales that the instance *name* stands for, finest first; none if there is no such instance.

    The finest instance of an image stands for all its scales; a coarser one, such as `em_2`, for that scale
    alone. A labelmap is one instance.
    """
    return [
        instance
        for scale in plan.scales
        for instance in plan.instances_of(scale)
        if instance.name == name or instance_name(name, 0, instance.level) == instance.name
    ]


def choose_scales(scales: Sequence[InstancePlan], choice: ScaleChoice, name: str) -> list[InstancePlan]:
    """Return the scales that are read, coarsest first, so that an overview is there before its details.

    Raises:
        ConfigError: A scale that *choice* names does not exist, or none is left.
    """
    levels = [scale.level for scale in scales]
    chosen = [scale for scale in scales if scale.level in choice]
    unknown = sorted(choice.named - set(levels))
    if unknown or not chosen:
        which = unknown[0] if unknown else min(choice.named)
        known = f"scales {levels[0]} to {levels[-1]}" if len(levels) > 1 else f"scale {levels[0]} only"
        raise ConfigError(f"--scales: {name} has no scale {which}; it has {known}")
    return chosen[::-1]


def scale_box(box: Box, finest_nm: Resolution, scale_nm: Resolution) -> Box:
    """Return the box of a coarser scale that holds all of a box of the finest: rounded outwards.

    Args:
        box: In voxels of the finest scale.
        finest_nm: The extent of its voxels.
        scale_nm: The extent of the voxels of the other scale.
    """
    ratios = [_ratio(fine, coarse) for fine, coarse in zip(finest_nm, scale_nm, strict=True)]
    start = (math.floor(at / ratio) for at, ratio in zip(box.start, ratios, strict=True))
    stop = (math.ceil(at / ratio) for at, ratio in zip(box.stop, ratios, strict=True))
    return Box(Point(*start), Point(*stop))


def _ratio(fine_nm: float, coarse_nm: float) -> float:
    """Return how many voxels one of a coarser scale covers: a whole number if it is one but for rounding."""
    ratio = coarse_nm / fine_nm
    whole = round(ratio)
    return whole if whole and abs(ratio - whole) <= RESOLUTION_TOLERANCE * whole else ratio


def clip_box(box: Box | None, plan: VolumePlan, name: str) -> Box:
    """Return the part of *box* that lies in the finest scale; all of the scale if *box* is None.

    Raises:
        ConfigError: Nothing of it lies there.
    """
    whole = plan.scales[0].box
    if box is None:
        return whole
    inside = box.intersection(whole)
    if inside.is_empty:
        raise ConfigError(
            f"--box {describe_box(box)} lies outside {name}, which has the voxels {describe_box(whole)}"
        )
    return inside


def describe_box(box: Box) -> str:
    """Return a box as `--box` takes it."""
    return ",".join(str(at) for corner in box for at in corner)
