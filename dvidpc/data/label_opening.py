"""Make the data of segmentations."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dvidpc.data.image import ImageData
from dvidpc.data.image_opening import make_scale
from dvidpc.data.instance import Data
from dvidpc.data.labelmap import (
    LABELBLK,
    LABELBLK_COMPRESSION,
    LABELMAP,
    LABELMAP_COMPRESSION,
    LabelmapData,
)
from dvidpc.data.opened_scales import OpenedScales
from dvidpc.sources.plan import VolumePlan
from dvidpc.sources.scale_plan import InstancePlan, LabelType
from dvidpc.types import Point
from dvidpc.volume.chunk_cache import CachedChunks
from dvidpc.volume.grid_store import GridStore
from dvidpc.volume.halved_labels import HalvedLabels
from dvidpc.volume.point_lookup import LabelLookup
from dvidpc.volume.resources import Resources

if TYPE_CHECKING:
    from dvidpc.data.volume_index import VolumeIndex


def make_labels(
    plan: VolumePlan, opened: OpenedScales, resources: Resources, index: "VolumeIndex | None"
) -> Iterator[tuple[str, Data]]:
    """Yield the name and the data of each instance; other arguments are those of `make_images`.

    Args:
        plan: The plan of the volume.
        opened: Its scales.
        resources: Shared by all volumes.
        index: The label index; None if there is none.
    """
    if LabelType.LABELMAP in plan.label_types:
        yield plan.name, _make_labelmap(plan, opened, resources, index)
    if LabelType.LABELBLK in plan.label_types:
        for scale in plan.scales:
            *_, instance = plan.instances_of(scale)
            of_scale = opened.copies_for(scale, instance.channel)
            data = make_scale(instance, LABELBLK, LABELBLK_COMPRESSION, of_scale, resources)
            yield instance.name, replace(data, lookup=LabelLookup(of_scale))


def _make_labelmap(
    plan: VolumePlan, opened: OpenedScales, resources: Resources, index: "VolumeIndex | None"
) -> LabelmapData:
    levels = []
    for scale in plan.labelmap_scales:
        instance, *_ = plan.instances_of(scale)
        of_scale = opened.copies_for(scale, instance.channel)
        level = make_scale(instance, LABELMAP, LABELMAP_COMPRESSION, of_scale, resources)
        levels.append(replace(level, lookup=LabelLookup(of_scale)))
    if plan.adds_level:
        instance, *_ = plan.instances_of(plan.scales[0])
        copies = opened.copies_for(plan.scales[0], instance.channel)
        levels.append(_halve(levels[0], instance, copies, resources))
    return LabelmapData(tuple(levels), index)


def _halve(
    finest: ImageData, instance: InstancePlan, copies: Sequence[CachedChunks], resources: Resources
) -> ImageData:
    """Return the second level of a labelmap whose plan `adds_level`."""
    source = HalvedLabels(finest.grid, [copy.source for copy in copies])
    halved = [CachedChunks(source, resources.payloads, resources.pool)]
    channel = instance.channel
    x, y, z = finest.voxel_size
    start, stop = source.grid.box
    return replace(
        finest,
        scale_level=finest.scale_level + 1,
        voxel_size=(2 * x, 2 * y, 2 * z),
        min_point=start,
        max_point=Point(*(last - 1 for last in stop)),
        grid=GridStore(
            halved,
            channel.layout,
            channel.payloads,
            instance.scale.block_size,
            resources.payloads,
            resources.held,
        ),
        stored_as="not stored",
        served_how=f"scale {finest.scale_level} at half the resolution",
        lookup=LabelLookup(halved),
    )
