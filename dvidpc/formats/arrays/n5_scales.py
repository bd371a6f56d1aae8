"""The levels of an N5 group, in the dialects of Neuroglancer, n5-viewer, COSEM, BigDataViewer and Paintera.

N5 itself knows no levels; each program writes keys of its own.  (neuroglancer
`datasource/n5/frontend.ts`; n5-universe `metadata/`)
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import mul
from typing import Any, Final, NamedTuple

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.cosem import cosem_datasets, dataset_transforms, describe_cosem
from dvidpc.formats.arrays.described import (
    MAX_LEVELS,
    DescribedLevel,
    Description,
    lengths_of,
    numbers,
    usual_name,
)

NAMES: Final = ("x", "y", "z", "c", "t")
"""The usual order of dimensions that have no names."""

_LEVEL: Final = re.compile(r"(?:.*/)?s(\d{1,3})", re.ASCII)
_SPATIAL_RANK: Final = 3
_TOLERANCE: Final = 0.01
"""By how much two resolutions of the same level may differ, as a fraction."""


class _Resolution(NamedTuple):
    """Extent of a voxel of the finest level in nm, fastest dimension first."""

    numbers: tuple[float, ...]
    """Empty: not known."""
    warnings: Sequence[str]


def level_paths(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the paths of the levels that the attributes of a group name, finest first; empty if they do not.

    Raises:
        FormatError: They name them in a malformed way.
    """
    return cosem_datasets(attributes) or tuple(f"s{level}" for level in range(len(_factor_lists(attributes))))


def describe_scales(attributes: Mapping[str, Any], levels: Mapping[str, Mapping[str, Any]]) -> Description:
    """Return what a group and its levels say.

    Args:
        attributes: Of the group, and where it says too little of the directories above it.
        levels: The attributes of each level by its path, finest first; at least one.

    Raises:
        FormatError: A key is malformed; the message names it.
    """
    listed = _factor_lists(attributes)
    names = _group_axes(attributes)
    finest = next(iter(levels.values()))
    base = _resolution({**finest, **attributes} if listed else {**attributes, **finest}, names)
    by_factors = _describe_factors(attributes, levels, listed, base)
    transforms = {path: level["transform"] for path, level in levels.items() if "transform" in level}
    transforms |= dataset_transforms(attributes)
    if not all(path in transforms for path in levels):
        return by_factors
    in_order = {path: transforms[path] for path in levels}
    by_transforms = describe_cosem(in_order, names, is_fastest_first=True)
    if not base.numbers or _agree(by_transforms, by_factors):
        return by_transforms
    warning = "transform and the resolution in the group's other keys disagree: the latter is used"
    return replace(by_factors, warnings=(*by_factors.warnings, warning))


def _group_axes(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of dimensions in a group's `axes`, fastest first; empty if it has none."""
    axes = attributes.get("axes")
    if not isinstance(axes, list) or not all(isinstance(name, str) for name in axes):
        return ()
    return tuple(usual_name(name) for name in axes)


def _factor_lists(attributes: Mapping[str, Any]) -> list[tuple[float, ...]]:
    """Return the factors of all levels, if a group lists them; empty if it does not."""
    for key in ("scales", "downsamplingFactors"):
        value = attributes.get(key)
        if isinstance(value, list) and value and all(isinstance(one, list) for one in value):
            if len(value) > MAX_LEVELS:
                raise FormatError(f"{key} has {len(value)} entries; the limit is {MAX_LEVELS}")
            return [numbers(one, key) for one in value]
    return []


def _describe_factors(
    attributes: Mapping[str, Any],
    levels: Mapping[str, Mapping[str, Any]],
    listed: Sequence[tuple[float, ...]],
    base: _Resolution,
) -> Description:
    """Describe levels by factors from the finest one: those that the group lists, or those of each level."""
    warnings = list(base.warnings)
    offset = _physical_offset(attributes)
    described = []
    chosen = listed if len(listed) == len(levels) else _own_factors(levels, warnings)
    for path, factors in zip(levels, chosen, strict=True):
        rank = max(len(factors), len(base.numbers))
        scale = tuple(map(mul, _padded(base.numbers, rank, 1.0), _padded(factors, rank, 1.0)))
        described.append(DescribedLevel(path, scale, _padded(offset, rank, 0.0)))
    return Description(
        _dialect_of(attributes),
        tuple(described),
        _group_axes(attributes),
        is_centre=False,
        warnings=tuple(warnings),
    )


def _dialect_of(attributes: Mapping[str, Any]) -> str:
    if "painteraData" in attributes:
        return "N5 multiscale (Paintera)"
    if attributes.get("multiScale") is True:
        return "N5 multiscale (BigDataViewer or Paintera)"
    return "N5 multiscale"


def _own_factors(levels: Mapping[str, Mapping[str, Any]], warnings: list[str]) -> Sequence[tuple[float, ...]]:
    """Return the `downsamplingFactors` of each level; `s<n>` without any is taken to be 2^n times coarser."""
    factors = []
    assumed = []
    for position, (path, attributes) in enumerate(levels.items()):
        value = attributes.get("downsamplingFactors")
        if isinstance(value, list):
            factors.append(numbers(value, f"{path}/downsamplingFactors"))
            continue
        found = _LEVEL.fullmatch(path)
        power = min(int(found.group(1)), MAX_LEVELS) if found and len(levels) > 1 else position
        factors.append((2.0**power,) * _SPATIAL_RANK)
        if power:
            assumed.append(path)
    if assumed:
        warnings.append(
            f"{', '.join(assumed)}: no downsamplingFactors, so each level is taken to halve the last"
        )
    return factors


def _resolution(attributes: Mapping[str, Any], names: Sequence[str]) -> _Resolution:
    """Return the `pixelResolution`, or the `resolution` with `units`."""
    found = attributes.get("pixelResolution")
    if isinstance(found, dict):
        values = numbers(found.get("dimensions"), "pixelResolution dimensions")
        return _in_nanometres(values, [found.get("unit")] * len(values), names)
    if isinstance(found, list):
        values = numbers(found, "pixelResolution")
        guess = "pixelResolution has no unit: taken as micrometers, as n5-viewer does; set the key resolution"
        return _Resolution(tuple(1000 * value for value in values), [guess])
    if attributes.get("resolution") is not None:
        values = numbers(attributes["resolution"], "resolution")
        units = attributes.get("units")
        listed = units if isinstance(units, list) and len(units) == len(values) else [units] * len(values)
        return _in_nanometres(values, listed, names)
    return _Resolution((), ["no resolution is given: taken as 1 nm; set the key resolution"])


def _in_nanometres(values: tuple[float, ...], units: Sequence[object], names: Sequence[str]) -> _Resolution:
    axes = (*names, *NAMES[len(names) :])[: len(values)]
    words = [unit if isinstance(unit, str) and unit else None for unit in units]
    lengths, warnings = lengths_of(axes, words[: len(axes)])
    return _Resolution(
        tuple(value * length for value, length in zip(values, lengths, strict=False)), warnings
    )


def _physical_offset(attributes: Mapping[str, Any]) -> tuple[float, ...]:
    """Return Paintera's `offset`: where the corner of the volume lies, in the unit of `resolution`."""
    value = attributes.get("offset")
    return numbers(value, "offset") if isinstance(value, list) else ()


def _padded(values: Sequence[float], rank: int, filler: float) -> tuple[float, ...]:
    return (*values[:rank], *(filler,) * (rank - len(values)))


def _agree(one: Description, other: Description) -> bool:
    """Whether two descriptions give the finest level the same resolution."""
    pairs = zip(one.levels[0].scale, other.levels[0].scale, strict=False)
    return all(abs(a - b) <= _TOLERANCE * max(abs(a), abs(b)) for a, b in pairs)
