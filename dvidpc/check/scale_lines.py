"""Describes a scale and how it is served, in one line."""

from dvidpc.data.image import find_voxel_type
from dvidpc.sources.plan import VolumePlan
from dvidpc.sources.scale_plan import InstancePlan, ScalePlan, times


def describe_scale(plan: VolumePlan, scale: ScalePlan) -> str:
    """Return one line that describes a scale and how it is served."""
    names: dict[str, list[str]] = {}
    for instance in plan.instances_of(scale):
        names.setdefault(_type_name(instance), []).append(instance.name)
    shown = ", ".join(f"{', '.join(of_type)} ({type_name})" for type_name, of_type in names.items())
    return (
        f"scale {scale.level}: {scale.stored.description} -> {shown}: "
        f"{scale.service} as blocks of {times(scale.block_size)}"
    )


def _type_name(instance: InstancePlan) -> str:
    """Return the name of DVID's type for an instance; the type of its values if DVID has none."""
    if instance.label_type is not None:
        return instance.label_type.value
    channel = instance.channel
    voxel_type = find_voxel_type(channel.data_type.value, channel.num_values)
    return voxel_type.data_type.name if voxel_type else channel.data_type.value
