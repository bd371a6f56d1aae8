"""Make the data instances of a planned volume."""

import logging
from collections.abc import Iterator, Sequence

from dvidpc.data.empty_scales import EmptyScales, WatchedChunks
from dvidpc.data.image import ImageData, find_voxel_type
from dvidpc.data.instance import Data, Instance
from dvidpc.data.repo import derive_data_uuid
from dvidpc.errors import FormatError
from dvidpc.formats.payloads import JPEG
from dvidpc.sources.plan import InstancePlan, VolumePlan, VolumeSettings
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.types import Point
from dvidpc.volume.chunk_cache import CachedChunks
from dvidpc.volume.grid_store import GridStore
from dvidpc.volume.resources import Resources

log = logging.getLogger(__name__)

_JPEG_COMPRESSION = "jpeg compression, level 32"
_NO_COMPRESSION = "No compression"


def make_instances(
    plan: VolumePlan,
    settings: VolumeSettings,
    directory: str,
    store: ObjectStore,
    repo_uuid: str,
    resources: Resources,
) -> list[Instance[Data]]:
    """Return the instances of a volume, finest scale first; log the scales that are not served.

    Args:
        plan: The plan of the volume.
        settings: The volume's part of the configuration.
        directory: Its directory in the store, after redirects.
        store: Reads the volume.
        repo_uuid: UUID of the repo that will hold the instances.
        resources: Shared by all volumes.

    Raises:
        FormatError: DVID has no type for the volume's voxels.
    """
    url = name_object(store.url, directory).rstrip("/")
    for problem in plan.problems:
        log.error("%s: scale %d is not served: %s", url, problem.level, problem.reason)
    instances = list(_make(plan, settings, url, store, repo_uuid, resources))
    for warning in plan.warnings:
        log.warning("%s: %s", url, warning)
    return instances


def _make(
    plan: VolumePlan,
    settings: VolumeSettings,
    url: str,
    store: ObjectStore,
    repo_uuid: str,
    resources: Resources,
) -> Iterator[Instance[Data]]:
    watch = EmptyScales(settings.alias, settings.skip_scales)
    for scale in plan.scales:
        copies = [
            CachedChunks(WatchedChunks(source, scale.level, watch), resources.payloads, resources.pool)
            for source in scale.stored.open(store, resources.tools)
        ]
        for instance in plan.instances_of(scale):
            yield Instance(
                instance.name,
                derive_data_uuid(repo_uuid, instance.name),
                settings.alias,
                url,
                _image_data(instance, copies, resources),
            )


def _image_data(instance: InstancePlan, copies: Sequence[CachedChunks], resources: Resources) -> ImageData:
    scale, channel = instance.scale, instance.channel
    voxel_type = find_voxel_type(channel.data_type.value, channel.num_values)
    if voxel_type is None:
        raise FormatError(f"DVID has no type for {channel.num_values} value(s) of {channel.data_type}")
    return ImageData(
        voxel_type=voxel_type,
        scale_level=instance.level,
        compression=_JPEG_COMPRESSION if instance.default_payload is JPEG else _NO_COMPRESSION,
        voxel_size=scale.resolution_nm,
        min_point=scale.box.start,
        max_point=Point(*(stop - 1 for stop in scale.box.stop)),
        block_size=scale.block_size.x,
        grid=GridStore(
            copies, channel.layout, channel.payloads, scale.block_size, resources.payloads, resources.held
        ),
        stored_as=scale.stored.stored_as,
        served_how=instance.served_how,
        channel=channel.number,
    )
