"""Joins the scales of a volume to its plan, by rules that are the same for every format.

What only segmentations need is imported for the first one, so that a server of images starts fast.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from dvidpc.errors import ConfigError, FormatError
from dvidpc.formats.data_types import DataType
from dvidpc.formats.grid import Grid
from dvidpc.formats.payloads import Payload
from dvidpc.sources.base import StoredScale
from dvidpc.sources.block_service import decide_service
from dvidpc.sources.channels import Channel, plan_image_channels
from dvidpc.sources.plan import VolumePlan, VolumeSettings, find_first_level
from dvidpc.sources.pyramid import explain_pyramid
from dvidpc.sources.scale_plan import LabelType, Resolution, ScalePlan, ScaleProblem, times
from dvidpc.types import Point


@dataclass(frozen=True, slots=True)
class Outline:
    """What is decided about all scales of a volume, before any of them is looked at."""

    settings: VolumeSettings
    is_labels: bool
    channels: tuple[Channel, ...]
    """What the instances of every scale show."""
    block_side: int | None
    """Voxels along each edge of a block; None: blocks are as large as chunks."""

    def block_size(self, grid: Grid) -> Point:
        """Return the extent of the blocks of a scale.

        Raises:
            FormatError: Blocks are to be as large as chunks, and these are not cubes.
        """
        side = self.block_side
        if side is not None:
            return Point(side, side, side)
        if len(set(grid.chunk_size)) > 1:
            raise FormatError(
                f'chunks of {times(grid.chunk_size)} voxels are not cubes, which block_size = "chunk" needs; '
                "give a number"
            )
        return grid.chunk_size

    def plan_scale(
        self,
        level: int,
        grid: Grid,
        resolution_nm: Resolution,
        as_stored: Payload | None,
        stored: StoredScale,
    ) -> ScalePlan:
        """Return the plan of one scale.

        Args:
            level: Its position in the metadata.
            grid: The lattice of the chunks that are read first.
            resolution_nm: The extent of a voxel.
            as_stored: The payload that stored chunks already are; None: they must be decoded.
            stored: The scale as its format knows it.

        Raises:
            FormatError: As for `block_size`.
        """
        block = self.block_size(grid)
        first = self.channels[0]
        full = next((channel for channel in self.channels if channel.is_full), None)
        return ScalePlan(
            level,
            grid.box,
            resolution_nm,
            block,
            decide_service(grid, block, None if first.window else as_stored, first.payloads[0]),
            stored,
            None if full is None else decide_service(grid, block, as_stored, full.payloads[0]),
        )


def outline_volume(
    settings: VolumeSettings, data_type: DataType, num_channels: int, *, is_labels: bool, apart: bool = False
) -> Outline:
    """Decide what the instances of a volume show.

    Args:
        settings: What the configuration says of it.
        data_type: Of stored voxels.
        num_channels: How many values are stored of a voxel.
        is_labels: Whether it is a segmentation.
        apart: As for `plan_channels`.

    Raises:
        ConfigError: A segmentation has a window.
        FormatError: There are absurdly many channels.
    """
    if is_labels and settings.window is not None:
        place = f"[store.{settings.alias}] window"
        raise ConfigError(f"{place}: is for images, and the volume is a segmentation; remove it")
    if is_labels:
        from dvidpc.sources.label_channels import LABEL_BLOCK_SIZE, LABEL_CHANNELS  # noqa: PLC0415 - see above

        return Outline(settings, is_labels, LABEL_CHANNELS, LABEL_BLOCK_SIZE)
    channels = plan_image_channels(data_type, num_channels, settings.window, full=settings.full, apart=apart)
    return Outline(settings, is_labels, channels, settings.block_size)


def join_scales(
    outline: Outline,
    levels: Iterable[tuple[int, Callable[[], ScalePlan]]],
    refused: Iterable[ScaleProblem],
    warnings: Sequence[str] = (),
) -> VolumePlan:
    """Return the plan of a volume.

    Args:
        outline: What is decided already.
        levels: The position of each scale in the metadata, finest first, and what plans it or raises
            FormatError.
        refused: Scales that the metadata describes, but that cannot be served.
        warnings: What is to be known besides the form of the pyramid.

    Raises:
        ConfigError: `skip_scales` does not fit the volume.
        FormatError: No scale can be served.
    """
    settings = outline.settings
    levels, problems = list(levels), list(refused)
    first = find_first_level(len(levels) + len(problems), settings)
    scales = []
    for level, plan_scale in levels:
        if level in settings.skip_scales:
            continue
        try:
            scales.append(plan_scale())
        except FormatError as error:
            problems.append(ScaleProblem(level, str(error)))
    problems = [problem for problem in problems if problem.level not in settings.skip_scales]
    problems.sort(key=lambda problem: problem.level)
    if not scales:
        raise FormatError(f"no scale can be served: scale {problems[0].level}: {problems[0].reason}")
    label_types = settings.label_types if outline.is_labels else ()
    plan = VolumePlan(
        settings.instance, outline.channels, tuple(scales), tuple(problems), (), label_types, first
    )
    is_map = LabelType.LABELMAP in label_types
    pyramid = [(scale.level, scale.resolution_nm) for scale in scales]
    of_pyramid = _labelmap_warnings(plan) if is_map else explain_pyramid(pyramid)
    return replace(plan, pyramid_warnings=(*of_pyramid, *warnings))


def _labelmap_warnings(plan: VolumePlan) -> list[str]:
    """Name the scales that a labelmap cannot have, because each of its scales halves the one before."""
    left_out = plan.scales[len(plan.labelmap_scales) :]
    if not left_out:
        return []
    levels = ", ".join(str(scale.level) for scale in left_out)
    end = left_out[0].level
    reason = "it does not halve the resolution of the one before along x, y and z, from the same corner"
    return [f"the labelmap ends before scale {end}: {reason}; not served by it: scale {levels}"]
