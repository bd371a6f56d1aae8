"""OME-Zarr 0.4, 0.5 and the scaled part of 0.6: `multiscales` become a `Description`.

(NGFF specification 0.4, 0.5 and 0.6rc0, sections "multiscales" and "coordinateTransformations")
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dvidpc.errors import ConfigError, FormatError
from dvidpc.formats.arrays.described import (
    MAX_LEVELS,
    DescribedLevel,
    Description,
    lengths_of,
    numbers,
    usual_name,
)
from dvidpc.formats.arrays.document_values import member_list, member_object, shown, text
from dvidpc.formats.precomputed.info_values import read_member, relative_path


class _Axes(NamedTuple):
    names: tuple[str, ...]
    units: tuple[str | None, ...]


class _Transform(NamedTuple):
    """`physical = scale * index + translation`, for each axis."""

    scale: tuple[float, ...]
    translation: tuple[float, ...]


def ome_attributes(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the attributes that OME-Zarr defines: since 0.5 they are below `ome`."""
    ome = attributes.get("ome")
    return ome if isinstance(ome, dict) else attributes


def is_multiscale(attributes: Mapping[str, Any]) -> bool:
    """Whether a group has `multiscales` of OME-Zarr."""
    multiscales = ome_attributes(attributes).get("multiscales")
    return isinstance(multiscales, list) and bool(multiscales)


def describe_multiscale(attributes: Mapping[str, Any], wanted: str | None) -> Description:
    """Return what a group's `multiscales` say.

    Args:
        attributes: Of the group.
        wanted: The name of the multiscale; None: the first.

    Raises:
        ConfigError: There is none of the wanted name.
        FormatError: A member is malformed or not supported; the message names it.
    """
    ome = ome_attributes(attributes)
    multiscale, warnings = _choose(read_member(ome, "multiscales", member_list), wanted)
    version = _version(ome, multiscale)
    datasets = read_member(multiscale, "datasets", member_list)
    if not 1 <= len(datasets) <= MAX_LEVELS:
        raise FormatError(f"datasets has {len(datasets)} entries, not 1 to {MAX_LEVELS}")
    _check_transformed(datasets, version)
    axes = _parse_axes(multiscale)
    factors, unit_warnings = lengths_of(axes.names, axes.units)
    on_top = _transform(multiscale, len(axes.names))
    levels = tuple(_parse_dataset(member_object(dataset), on_top, factors) for dataset in datasets)
    return Description(
        dialect=f"OME-Zarr {version}".rstrip(),
        levels=levels,
        names=axes.names,
        is_centre=True,
        warnings=(*warnings, *unit_warnings),
        is_labels=True if "image-label" in ome else None,
    )


def _choose(multiscales: list[Any], wanted: str | None) -> tuple[dict[str, Any], list[str]]:
    """Return the multiscale to serve, and a warning if others are not."""
    found = [member_object(one) for one in multiscales]
    names = [one.get("name") for one in found]
    if wanted is not None:
        if wanted not in names:
            raise ConfigError(f"multiscale: there is none named {wanted!r}; there are {shown(names)}")
        return found[names.index(wanted)], []
    if not found:
        raise FormatError("multiscales is empty")
    if len(found) == 1:
        return found[0], []
    return found[0], [f"there are {len(found)} multiscales; the first is served; the key multiscale chooses"]


def _version(ome: Mapping[str, Any], multiscale: Mapping[str, Any]) -> str:
    version = multiscale.get("version", ome.get("version"))
    return version if isinstance(version, str) else ""


def _check_transformed(datasets: Sequence[Any], version: str) -> None:
    if not any(isinstance(one, dict) and one.get("coordinateTransformations") for one in datasets):
        raise FormatError(
            f"multiscales of version {version or 'unknown'} have no coordinateTransformations, so their "
            "resolution is not known; OME-Zarr 0.4 and later have them"
        )


def _parse_axes(multiscale: Mapping[str, Any]) -> _Axes:
    """Return the axes, since 0.6 those of the last coordinate system."""
    systems = multiscale.get("coordinateSystems")
    holder = member_object(systems[-1]) if isinstance(systems, list) and systems else multiscale
    names, units = [], []
    for axis in read_member(holder, "axes", member_list):
        entry = {"name": axis} if isinstance(axis, str) else member_object(axis)
        kind, unit = entry.get("type"), entry.get("unit")
        names.append(usual_name(read_member(entry, "name", text), kind if isinstance(kind, str) else ""))
        units.append(unit if isinstance(unit, str) and unit else None)
    return _Axes(tuple(names), tuple(units))


def _parse_dataset(
    dataset: Mapping[str, Any], on_top: _Transform, factors: tuple[float, ...]
) -> DescribedLevel:
    path = read_member(dataset, "path", relative_path)
    scale, translation = _join(_transform(dataset, len(factors)), on_top)
    return DescribedLevel(path, _times(scale, factors), _times(translation, factors))


def _transform(holder: Mapping[str, Any], rank: int) -> _Transform:
    """Return the transformations of a dataset, or those of a multiscale that come on top, as one."""
    steps = holder.get("coordinateTransformations")
    result = _Transform((1.0,) * rank, (0.0,) * rank)
    for step in _flat(steps if steps is not None else []):
        result = _join(result, _parse_step(step, rank))
    return result


def _flat(steps: object) -> list[dict[str, Any]]:
    """Return transformations in a row; since 0.6 a `sequence` holds some."""
    flat = []
    for step in map(member_object, member_list(steps)):
        if step.get("type") == "sequence":
            flat += [member_object(one) for one in read_member(step, "transformations", member_list)]
        else:
            flat.append(step)
    return flat


def _parse_step(step: Mapping[str, Any], rank: int) -> _Transform:
    kind = step.get("type")
    if kind == "identity":
        return _Transform((1.0,) * rank, (0.0,) * rank)
    if kind not in ("scale", "translation") or kind not in step:
        raise FormatError(
            f"coordinateTransformations has {shown(kind)}; only scale and translation are supported"
        )
    values = numbers(step[kind], kind)
    if len(values) != rank:
        raise FormatError(f"{kind} is {shown(list(values))}; there are {rank} axes")
    if kind == "translation":
        return _Transform((1.0,) * rank, values)
    return _Transform(values, (0.0,) * rank)


def _join(first: _Transform, second: _Transform) -> _Transform:
    """Return both transforms as one, *first* applied first."""
    moved = tuple(
        a + b for a, b in zip(_times(first.translation, second.scale), second.translation, strict=True)
    )
    return _Transform(_times(first.scale, second.scale), moved)


def _times(one: Sequence[float], other: Sequence[float]) -> tuple[float, ...]:
    return tuple(a * b for a, b in zip(one, other, strict=True))
