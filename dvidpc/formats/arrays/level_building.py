"""Puts together what a dialect says of levels and what their arrays are: an `ArrayVolume`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from dvidpc.errors import ConfigError, FormatError
from dvidpc.formats.arrays.axes import AxisMap, map_axes
from dvidpc.formats.arrays.described import DescribedLevel, Description, usual_name
from dvidpc.formats.arrays.levels import ArrayLevel, ArrayVolume, RefusedLevel
from dvidpc.formats.arrays.offsets import Offsets, Placement, find_offsets
from dvidpc.formats.arrays.selection import ArraySelection
from dvidpc.formats.arrays.spec import ArraySpec
from dvidpc.formats.grid import Grid
from dvidpc.types import Point

Arrays: TypeAlias = Mapping[str, ArraySpec | FormatError]
"""The array of each level by its path, or why it cannot be served."""

_USUAL: Final = ("t", "c", "z", "y", "x")
"""The usual names of dimensions without names, in C order; N5 has them the other way round."""
_LEAST_SCALE: Final = 1e-12
_MOST_SCALE: Final = 1e18
"""Lengths in nm beyond which metadata is absurd."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """A level whose array is known to fit."""

    level: int
    described: DescribedLevel
    spec: ArraySpec
    axes: AxisMap
    placement: Placement
    num_channels: int

    @property
    def size(self) -> Point:
        return _along_xyz(self.spec.shape, self.axes)

    @property
    def chunk_size(self) -> Point:
        return _along_xyz(self.spec.chunk, self.axes)


def build_volume(description: Description, arrays: Arrays, selection: ArraySelection) -> ArrayVolume:
    """Return the levels that can be served.

    Raises:
        ConfigError: The selection does not fit; the message begins with the key's name.
        FormatError: No level can be served.
    """
    placed: list[_Placed] = []
    refused: list[RefusedLevel] = []
    for level, described in enumerate(description.levels):
        try:
            found = arrays[described.path]
            if isinstance(found, FormatError):
                raise found
            one = _place(level, described, found, description, selection)
            _check_alike(placed, one)
            placed.append(one)
        except FormatError as error:
            name = f"{described.path}: " if described.path else ""
            refused.append(RefusedLevel(level, f"{name}{error}"))
    if not placed:
        raise FormatError(f"no level can be served: {refused[0].reason}")
    offsets = _offsets(placed, selection)
    levels = tuple(
        ArrayLevel(
            one.level,
            one.described.path,
            one.spec,
            one.axes,
            Grid(one.size, offset, one.chunk_size),
            _resolution(one.placement, placed[0].placement, selection),
        )
        for one, offset in zip(placed, offsets.levels, strict=True)
    )
    return ArrayVolume(
        levels,
        tuple(refused),
        placed[0].num_channels,
        (*_relevant(description, selection), *offsets.warnings, *_size_warnings(placed)),
        description.is_labels,
        description.dialect,
    )


def _place(
    level: int,
    described: DescribedLevel,
    spec: ArraySpec,
    description: Description,
    selection: ArraySelection,
) -> _Placed:
    names = _names(spec, description, selection)
    axes = map_axes(names, spec.shape, selection)
    scale = _fitted(described.scale, spec, 1.0, "scale")
    translation = _fitted(described.translation, spec, 0.0, "translation")
    placement = Placement(
        _floats_along_xyz(scale, axes, 1.0),
        _floats_along_xyz(translation, axes, 0.0),
        description.is_centre,
    )
    if not all(_LEAST_SCALE <= length <= _MOST_SCALE for length in placement.scale):
        raise FormatError(f"scale is {list(scale)}, which is not positive and plausible along x, y and z")
    if not all(abs(length) <= _MOST_SCALE for length in placement.translation):
        raise FormatError(f"translation is {list(translation)}, which is not plausible")
    channels = 1 if axes.channel is None else spec.shape[axes.channel]
    return _Placed(level, described, spec, axes, placement, channels)


def _names(spec: ArraySpec, description: Description, selection: ArraySelection) -> tuple[str, ...]:
    """Return the name of each dimension: from the configuration, the metadata, the array, or as usual."""
    rank = len(spec.shape)
    if selection.axes is not None:
        if len(selection.axes) != rank:
            raise ConfigError(f"axes: {selection.axes!r} names {len(selection.axes)} of {rank} dimensions")
        return tuple(map(usual_name, selection.axes))
    if description.names:
        return description.names
    if spec.dimension_names:
        return tuple(usual_name(name or f"d{axis}") for axis, name in enumerate(spec.dimension_names))
    if rank > len(_USUAL):
        raise FormatError(f"{rank} dimensions without names; name them by the key axes")
    return _USUAL[::-1][:rank] if spec.is_fastest_first else _USUAL[-rank:]


def _fitted(values: tuple[float, ...], spec: ArraySpec, filler: float, what: str) -> tuple[float, ...]:
    """Return a number for each dimension; lists of N5 may leave out the slow ones."""
    rank = len(spec.shape)
    if len(values) == rank:
        return values
    if values and not spec.is_fastest_first:
        raise FormatError(f"{what} is {list(values)}; the array has {rank} dimensions")
    return (*values[:rank], *(filler,) * (rank - len(values)))


def _check_alike(placed: Sequence[_Placed], one: _Placed) -> None:
    """Make sure that a level holds the same kind of voxels as the first one."""
    if not placed:
        return
    first = placed[0]
    if one.spec.data_type is not first.spec.data_type:
        raise FormatError(
            f"data type is {one.spec.data_type}; that of the first level {first.spec.data_type}"
        )
    if one.num_channels != first.num_channels:
        raise FormatError(f"has {one.num_channels} channels; the first level has {first.num_channels}")


def _offsets(placed: Sequence[_Placed], selection: ArraySelection) -> Offsets:
    if selection.ignore_offset:
        return Offsets((Point(0, 0, 0),) * len(placed), ())
    return find_offsets([one.placement for one in placed])


def _resolution(
    placement: Placement, finest: Placement, selection: ArraySelection
) -> tuple[float, float, float]:
    if selection.resolution_nm is None:
        return placement.scale
    x, y, z = (
        nm * scale / first
        for nm, scale, first in zip(selection.resolution_nm, placement.scale, finest.scale, strict=True)
    )
    return x, y, z


def _relevant(description: Description, selection: ArraySelection) -> Sequence[str]:
    """Return a dialect's warnings, without those that the configuration answers."""
    if selection.resolution_nm is None:
        return description.warnings
    return [warning for warning in description.warnings if not warning.endswith("set the key resolution")]


def _size_warnings(placed: Sequence[_Placed]) -> list[str]:
    """Warn where levels do not cover the same space: their metadata may be wrong."""
    first = placed[0]
    wrong = []
    for one in placed[1:]:
        pairs = zip(first.size, first.placement.scale, one.size, one.placement.scale, strict=True)
        if any(abs(n * s - m * t) > max(s, t) for n, s, m, t in pairs):
            wrong.append(str(one.level))
    if not wrong:
        return []
    return [f"levels {', '.join(wrong)} do not cover the space of the first; their scale may be wrong"]


def _along_xyz(numbers: Sequence[int], axes: AxisMap) -> Point:
    return Point(*(1 if dimension is None else numbers[dimension] for dimension in axes.xyz))


def _floats_along_xyz(numbers: Sequence[float], axes: AxisMap, missing: float) -> tuple[float, float, float]:
    x, y, z = (missing if dimension is None else numbers[dimension] for dimension in axes.xyz)
    return x, y, z
