"""COSEM's metadata, which CellMap and OpenOrganelle have too: a `transform` for each level.

(janelia-cellmap/schemas, `multiscale/cosem.py`; lists run slowest first, unless `order` or `ordering` is F)
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.described import (
    MAX_LEVELS,
    DescribedLevel,
    Description,
    lengths_of,
    numbers,
    usual_name,
)
from dvidpc.formats.arrays.document_values import member_list, member_object, text
from dvidpc.formats.precomputed.info_values import read_member, relative_path


class _Transform(NamedTuple):
    """Where a level lies, by the names of axes; lengths in nm."""

    names: tuple[str, ...]
    """Slowest first."""
    scale: Mapping[str, float]
    translation: Mapping[str, float]
    warnings: Sequence[str]


def cosem_datasets(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the paths of the levels of a group, finest first; empty if it has no such `multiscales`.

    Raises:
        FormatError: A path is no relative path, or there are absurdly many.
    """
    entries = _entries(attributes)
    if len(entries) > MAX_LEVELS:
        raise FormatError(f"multiscales has {len(entries)} datasets; the limit is {MAX_LEVELS}")
    return tuple(read_member(entry, "path", relative_path) for entry in entries)


def dataset_transforms(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the `transform` of each level that the group's `multiscales` give one, by its path."""
    entries = _entries(attributes)
    return {
        read_member(one, "path", relative_path): one["transform"] for one in entries if "transform" in one
    }


def describe_cosem(
    transforms: Mapping[str, Any], names: Sequence[str], *, is_fastest_first: bool
) -> Description:
    """Return what the transforms of levels say.

    Args:
        transforms: The `transform` of each level by its path, finest first.
        names: Names of the dimensions that the group gives; empty: those of the transform.
        is_fastest_first: Whether the array lists dimensions fastest first, as N5 does.

    Raises:
        FormatError: A transform is malformed.
    """
    parsed = {path: _parse_transform(member_object(one)) for path, one in transforms.items()}
    finest = next(iter(parsed.values()))
    order = reversed(finest.names) if is_fastest_first else finest.names
    axes = tuple(names) or tuple(order)
    levels = tuple(
        DescribedLevel(
            path,
            tuple(one.scale.get(name, 1.0) for name in axes),
            tuple(one.translation.get(name, 0.0) for name in axes),
        )
        for path, one in parsed.items()
    )
    kind = "N5" if is_fastest_first else "zarr"
    return Description(
        f"{kind} multiscale (COSEM)", levels, axes, is_centre=True, warnings=tuple(finest.warnings)
    )


def _entries(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    multiscales = attributes.get("multiscales")
    if not isinstance(multiscales, list) or not multiscales or not isinstance(multiscales[0], dict):
        return []
    datasets = multiscales[0].get("datasets")
    return [one for one in datasets if isinstance(one, dict)] if isinstance(datasets, list) else []


def _parse_transform(transform: Mapping[str, Any]) -> _Transform:
    names = [usual_name(text(name)) for name in read_member(transform, "axes", member_list)]
    units = _units(transform.get("units"), len(names))
    scale = numbers(transform.get("scale"), "transform scale")
    translation = numbers(transform.get("translate", [0.0] * len(names)), "transform translate")
    if not len(names) == len(scale) == len(translation):
        raise FormatError("transform: axes, scale and translate differ in length")
    factors, warnings = lengths_of(names, units)
    is_fortran = "F" in (transform.get("order"), transform.get("ordering"))
    return _Transform(
        tuple(reversed(names)) if is_fortran else tuple(names),
        {name: value * factor for name, value, factor in zip(names, scale, factors, strict=True)},
        {name: value * factor for name, value, factor in zip(names, translation, factors, strict=True)},
        warnings,
    )


def _units(value: object, rank: int) -> list[str | None]:
    if not isinstance(value, list) or len(value) != rank:
        return [None] * rank
    return [unit if isinstance(unit, str) and unit else None for unit in value]
