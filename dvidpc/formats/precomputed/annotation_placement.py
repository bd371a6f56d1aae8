"""Decides how the coordinates of a collection become voxels: which axis is which, and the scale."""

from collections.abc import Sequence
from typing import Final

from dvidpc.errors import ConfigError
from dvidpc.formats.lattice import Placement
from dvidpc.formats.precomputed.annotation_settings import AnnotationSettings, VoxelSize
from dvidpc.formats.precomputed.annotation_units import Dimension

_NAMES: Final = ("x", "y", "z")


def decide_placement(
    dimensions: Sequence[Dimension], synced_nm: VoxelSize | None, settings: AnnotationSettings, place: str
) -> tuple[Placement, VoxelSize]:
    """Return the placement, and the size of the voxels that it leads to.

    Axes called x, y and z are these; under other names the first is x. Without a voxel size, coordinates
    are taken for voxels. So they are if their unit is no length; then the voxel size must be configured.

    Args:
        dimensions: The three stored axes.
        synced_nm: The voxel size of what the instance belongs to; None: it belongs to nothing.
        settings: The store's keys.
        place: The store as messages name it.

    Raises:
        ConfigError: A unit is no length, and no `voxel_size` is configured.
    """
    names = [dimension.name.lower() for dimension in dimensions]
    axes = tuple(map(names.index, _NAMES)) if sorted(names) == list(_NAMES) else (0, 1, 2)
    scales = [dimensions[axis].scale_nm for axis in axes]
    if any(scale is None for scale in scales):
        if settings.voxel_size_nm is None:
            units = ", ".join(repr(dimension.unit) for dimension in dimensions)
            raise ConfigError(
                f"{place} voxel_size: is needed, as dimensions have the units {units}, which are no lengths; "
                "if coordinates count voxels, write their size in nm, such as voxel_size = [8, 8, 8]"
            )
        factors = [dimensions[axis].scale for axis in axes]
        return Placement((axes[0], axes[1], axes[2]), _triple(factors)), settings.voxel_size_nm
    scales_nm = [scale for scale in scales if scale is not None]
    voxel_size = settings.voxel_size_nm or synced_nm or _triple(scales_nm)
    factors = [scale / size for scale, size in zip(scales_nm, voxel_size, strict=True)]
    return Placement((axes[0], axes[1], axes[2]), _triple(factors)), voxel_size


def describe_placement(dimensions: Sequence[Dimension], placement: Placement, voxel_size: VoxelSize) -> str:
    """Return in one line how coordinates become voxels."""
    units = ", ".join(f"{each.name} {_shown(each)}" for each in dimensions)
    factors = placement.voxels_per_unit
    if all(factor == 1 for factor in factors):
        done = "taken as they are"
    elif all(factor <= 1 for factor in factors):
        done = "divided by " + _times([1 / factor for factor in factors])
    else:
        done = "multiplied by " + _times(factors)
    return f"dimensions {units}; voxels {_times(voxel_size)} nm: coordinates are {done}"


def _shown(dimension: Dimension) -> str:
    scale_nm = dimension.scale_nm
    if scale_nm is None:
        return f"{dimension.scale:g} {dimension.unit}".rstrip()
    return f"{scale_nm:.7g} nm"


def _times(numbers: Sequence[float]) -> str:
    return " x ".join(f"{number:.7g}" for number in numbers)


def _triple(numbers: Sequence[float]) -> tuple[float, float, float]:
    x, y, z = numbers
    return x, y, z
