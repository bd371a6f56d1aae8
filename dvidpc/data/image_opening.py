"""Make the data of images."""

from collections.abc import Iterator, Sequence

from dvidpc.data.image import ImageData, VoxelType, find_voxel_type
from dvidpc.data.instance import Data
from dvidpc.data.opened_scales import OpenedScales
from dvidpc.errors import FormatError
from dvidpc.formats.data_types import DataType
from dvidpc.formats.payloads import JPEG
from dvidpc.sources.channels import Channel
from dvidpc.sources.plan import VolumePlan
from dvidpc.sources.scale_plan import InstancePlan
from dvidpc.types import Point
from dvidpc.volume.chunk_cache import CachedChunks
from dvidpc.volume.grid_store import GridStore
from dvidpc.volume.resources import Resources

_JPEG_COMPRESSION = "jpeg compression, level 32"
_NO_COMPRESSION = "No compression"


def make_images(plan: VolumePlan, opened: OpenedScales, resources: Resources) -> Iterator[tuple[str, Data]]:
    """Yield the name and the data of each instance, finest scale first.

    Args:
        plan: The plan of the volume.
        opened: Opens its scales.
        resources: Shared by all volumes.

    Raises:
        FormatError: DVID has no type for the volume's voxels.
    """
    for scale in plan.scales:
        for instance in plan.instances_of(scale):
            channel = instance.channel
            voxel_type = find_voxel_type(channel.data_type.value, channel.num_values)
            if voxel_type is None:
                raise FormatError(
                    f"DVID has no type for {channel.num_values} value(s) of {channel.data_type}"
                )
            compression = _JPEG_COMPRESSION if instance.default_payload is JPEG else _NO_COMPRESSION
            copies = opened.copies_for(scale, channel)
            yield instance.name, make_scale(instance, voxel_type, compression, copies, resources)


def make_scale(
    instance: InstancePlan,
    voxel_type: VoxelType,
    compression: str,
    copies: Sequence[CachedChunks],
    resources: Resources,
) -> ImageData:
    """Return the data of one scale; *compression* is the text of `Base.Compression`."""
    scale, channel = instance.scale, instance.channel
    return ImageData(
        voxel_type=voxel_type,
        scale_level=instance.level,
        compression=compression,
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
        is_full=channel.is_full,
        background=_background(copies[0].source.fill, channel),
    )


def _background(fill: float | None, channel: Channel) -> int:
    """Return DVID's `Background`, one byte: the value of missing voxels, if voxels are bytes."""
    return 0 if fill is None or channel.data_type is not DataType.UINT8 else int(fill)
