"""N5: which documents a directory has, and what they say together."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.bundle import Documents, document_at
from dvidpc.formats.arrays.described import MAX_LEVELS, Description
from dvidpc.formats.arrays.level_building import build_volume
from dvidpc.formats.arrays.levels import ArrayVolume
from dvidpc.formats.arrays.n5 import parse_dataset
from dvidpc.formats.arrays.n5_scales import describe_scales, level_paths
from dvidpc.formats.arrays.selection import ArraySelection
from dvidpc.formats.arrays.spec import ArraySpec

_ATTRIBUTES: Final = "attributes.json"
_PARENTS: Final = ("../attributes.json", "../../attributes.json")
"""Nearer first."""
_PAINTERA: Final = "data"
"""Where a Paintera dataset has its levels."""
_PROBED: Final = 8
"""Levels that are looked for at once, where nothing says how many there are."""


@dataclass(frozen=True, slots=True)
class _Group:
    """What the documents read so far say of a group."""

    wanted: tuple[str, ...]
    """What must be read before the levels are known; then the other members mean nothing."""
    attributes: Mapping[str, Any]
    """Those of the group, and of the directories above it if it says too little."""
    paths: tuple[str, ...]
    """The levels, relative to the directory that is served; empty: it is an array itself."""


def wanted_in_n5(known: Documents) -> tuple[str, ...]:
    """As `dialects.wanted_documents`."""
    group = _find_group(known)
    if group.wanted:
        return group.wanted
    names = (posixpath.join(path, _ATTRIBUTES) for path in group.paths)
    return tuple(dict.fromkeys(name for name in names if name not in known))


def describe_n5(known: Documents, selection: ArraySelection) -> ArrayVolume:
    """As `dialects.describe_volume`."""
    group = _find_group(known)
    if not group.paths:
        levels = {"": group.attributes}
        found = describe_scales({}, levels)
        description = Description("N5 dataset", found.levels, found.names, found.is_centre, found.warnings)
    else:
        levels = {path: document_at(known, posixpath.join(path, _ATTRIBUTES)) for path in group.paths}
        description = describe_scales(group.attributes, levels)
        if _is_paintera(group.attributes):
            description = _as_paintera(description, group.attributes)
    arrays = {path: _array(attributes) for path, attributes in levels.items()}
    return build_volume(description, arrays, selection)


def _find_group(known: Documents) -> _Group:
    """Return what is known of the group: each step asks for the documents of the next.

    BigDataViewer keeps the factors of levels in the directory above; others keep the resolution there. So the
    directories above are read where a group names no levels.

    Raises:
        FormatError: It is no array, and no levels can be found.
    """
    if _ATTRIBUTES not in known:
        return _missing(_ATTRIBUTES)
    own = document_at(known, _ATTRIBUTES)
    if _is_paintera(own):
        return _find_paintera(known, own)
    if "dimensions" in own:
        return _Group((), own, ())
    if level_paths(own):
        return _Group((), own, level_paths(own))
    if any(parent not in known for parent in _PARENTS):
        return _missing(*_PARENTS)
    nearer, farther = (document_at(known, parent) for parent in _PARENTS)
    return _find_levels(known, {**_inherited(farther), **_inherited(nearer), **own}, "")


def _find_paintera(known: Documents, own: Mapping[str, Any]) -> _Group:
    nested = posixpath.join(_PAINTERA, _ATTRIBUTES)
    if nested not in known:
        return _missing(nested)
    return _find_levels(known, {**own, **document_at(known, nested)}, _PAINTERA)


def _find_levels(known: Documents, attributes: Mapping[str, Any], base: str) -> _Group:
    """Return the levels that attributes name, else those that are there: `s0`, `s1` and so on."""
    named = level_paths(attributes)
    if named:
        return _Group((), attributes, tuple(posixpath.join(base, path) for path in named))
    paths: list[str] = []
    for level in range(MAX_LEVELS):
        path = posixpath.join(base, f"s{level}")
        name = posixpath.join(path, _ATTRIBUTES)
        if name not in known:
            more = (posixpath.join(base, f"s{level + n}", _ATTRIBUTES) for n in range(_PROBED))
            return _missing(*more)
        if known[name] is None:
            break
        paths.append(path)
    if not paths:
        raise FormatError(
            "is no N5 array or group of levels: attributes.json has no dimensions, scales or multiscales, "
            "and there is no s0; write the path of an array into ref"
        )
    return _Group((), attributes, tuple(paths))


def _missing(*names: str) -> _Group:
    return _Group(names, {}, ())


def _inherited(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a directory passes on to those below: not what makes it an array or a group itself."""
    own = ("dimensions", "blockSize", "dataType", "compression", "transform", "multiscales")
    return {name: value for name, value in attributes.items() if name not in own}


def _is_paintera(attributes: Mapping[str, Any]) -> bool:
    return "painteraData" in attributes


def _as_paintera(description: Description, attributes: Mapping[str, Any]) -> Description:
    data = attributes["painteraData"]
    is_labels = True if isinstance(data, dict) and data.get("type") == "label" else None
    return Description(
        description.dialect,
        description.levels,
        description.names,
        description.is_centre,
        description.warnings,
        is_labels,
    )


def _array(attributes: Mapping[str, Any]) -> ArraySpec | FormatError:
    if not attributes:
        return FormatError("there is no attributes.json")
    if attributes.get("isLabelMultiset") is True:
        return FormatError("isLabelMultiset is true; label multisets of Paintera are not supported")
    try:
        return parse_dataset(attributes)
    except FormatError as error:
        return error
