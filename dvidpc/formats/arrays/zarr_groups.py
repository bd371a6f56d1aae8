"""zarr and OME-Zarr: which documents a directory has, and what they say together."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.bundle import Documents, document_at, parse_document
from dvidpc.formats.arrays.cosem import cosem_datasets, dataset_transforms, describe_cosem
from dvidpc.formats.arrays.described import DescribedLevel, Description, numbers
from dvidpc.formats.arrays.document_values import shown
from dvidpc.formats.arrays.level_building import Arrays, build_volume
from dvidpc.formats.arrays.levels import ArrayVolume
from dvidpc.formats.arrays.ome import describe_multiscale, is_multiscale, ome_attributes
from dvidpc.formats.arrays.selection import ArraySelection
from dvidpc.formats.arrays.spec import ArraySpec
from dvidpc.formats.arrays.units import nanometres_of
from dvidpc.formats.arrays.zarr2 import parse_zarray
from dvidpc.formats.arrays.zarr3 import parse_names, parse_zarr_json

_V3: Final = "zarr.json"
_V2_ARRAY: Final = ".zarray"
_V2_ATTRIBUTES: Final = ".zattrs"
_MARKERS: Final = {None: (_V3, _V2_ATTRIBUTES, _V2_ARRAY), 2: (_V2_ATTRIBUTES, _V2_ARRAY), 3: (_V3,)}


@dataclass(frozen=True, slots=True)
class _Node:
    """An array or a group."""

    version: int
    array: Mapping[str, Any] | None
    """The document of an array; None: it is a group."""
    attributes: Mapping[str, Any]


def wanted_in_zarr(known: Documents, selection: ArraySelection) -> tuple[str, ...]:
    """As `dialects.wanted_documents`: those of the node that is served, then one for each level."""
    markers = _MARKERS[selection.zarr_version]
    if markers[0] not in known:
        return markers
    node = _root(known, selection)
    if node.array is not None:
        return ()
    name = _V3 if node.version == 3 else _V2_ARRAY
    names = [posixpath.join(level.path, name) for level in _describe_group(node, selection).levels]
    return tuple(dict.fromkeys(name for name in names if name not in known))


def describe_zarr(known: Documents, selection: ArraySelection) -> ArrayVolume:
    """As `dialects.describe_volume`."""
    node = _root(known, selection)
    if node.array is not None:
        spec = _parse_array(node.version, node.array, node.attributes, selection)
        return build_volume(_describe_lone(node), {"": spec}, selection)
    description = _describe_group(node, selection)
    arrays: Arrays = {
        level.path: _array_at(known, level.path, node.version, selection) for level in description.levels
    }
    return build_volume(description, arrays, selection)


def _root(known: Documents, selection: ArraySelection) -> _Node:
    """Return the node that is served; zarr v3 comes first where both versions are there.

    Raises:
        FormatError: There is none, or its document is malformed.
    """
    if known.get(_V3) is not None:
        document = document_at(known, _V3)
        attributes = document.get("attributes")
        is_array = document.get("node_type") == "array"
        return _Node(3, document if is_array else None, attributes if isinstance(attributes, dict) else {})
    attributes = document_at(known, _V2_ATTRIBUTES) if known.get(_V2_ATTRIBUTES) is not None else {}
    if known.get(_V2_ARRAY) is not None:
        return _Node(2, document_at(known, _V2_ARRAY), attributes)
    if known.get(_V2_ATTRIBUTES) is None:
        raise FormatError(f"there is no {' or '.join(_MARKERS[selection.zarr_version])}")
    return _Node(2, None, attributes)


def _describe_group(node: _Node, selection: ArraySelection) -> Description:
    """Return what the attributes of a group say.

    Raises:
        FormatError: They describe no levels, or other things than levels; the message says what to do.
    """
    transforms = dataset_transforms(node.attributes)
    if transforms and len(transforms) == len(cosem_datasets(node.attributes)):
        return describe_cosem(transforms, (), is_fastest_first=False)
    if is_multiscale(node.attributes):
        return describe_multiscale(node.attributes, selection.multiscale)
    raise FormatError(_explain_group(ome_attributes(node.attributes)))


def _explain_group(attributes: Mapping[str, Any]) -> str:
    """Return why a group is not served, for the kinds of groups that OME-Zarr has."""
    if "plate" in attributes or "well" in attributes:
        return "is a plate or well of OME-Zarr, which is not served; write the path of one image into ref"
    if "bioformats2raw.layout" in attributes:
        return "holds several images (bioformats2raw.layout); write the path of one into ref, such as 0"
    labels = attributes.get("labels")
    if isinstance(labels, list):
        return f"is a group of label images; write the path of one into ref: {shown(labels)}"
    return "is a group without multiscales; write the path of an image or an array into ref"


def _describe_lone(node: _Node) -> Description:
    """Describe an array on its own by its attributes: COSEM's `transform`, or `resolution` and `offset`.

    The latter are those of funlib.persistence, which many pipelines write: physical, in the array's order.
    """
    dialect = f"zarr v{node.version} array"
    attributes = node.attributes
    if isinstance(attributes.get("transform"), dict):
        found = describe_cosem({"": attributes["transform"]}, (), is_fastest_first=False)
        return Description(dialect, found.levels, found.names, is_centre=True, warnings=found.warnings)
    resolution = attributes.get("resolution", attributes.get("voxel_size"))
    if resolution is None:
        warning = "no resolution is given: taken as 1 nm; set the key resolution"
        return Description(dialect, (DescribedLevel("", (), ()),), (), is_centre=False, warnings=(warning,))
    scale = numbers(resolution, "resolution")
    offset = numbers(attributes.get("offset", [0] * len(scale)), "offset")
    level = DescribedLevel("", _in_nanometres(scale, attributes), _in_nanometres(offset, attributes))
    return Description(dialect, (level,), (), is_centre=False)


def _in_nanometres(values: tuple[float, ...], attributes: Mapping[str, Any]) -> tuple[float, ...]:
    """Return lengths in nm; `units` may name a unit for each dimension, else they are nm."""
    units = attributes.get("units")
    if not isinstance(units, list) or len(units) != len(values):
        return values
    factors = [nanometres_of(unit) if isinstance(unit, str) else None for unit in units]
    return tuple(value * (factor or 1.0) for value, factor in zip(values, factors, strict=True))


def _array_at(
    known: Documents, path: str, version: int, selection: ArraySelection
) -> ArraySpec | FormatError:
    name = posixpath.join(path, _V3 if version == 3 else _V2_ARRAY)
    data = known.get(name)
    if data is None:
        return FormatError(f"there is no {posixpath.basename(name)}")
    try:
        return _parse_array(version, parse_document(data), {}, selection)
    except FormatError as error:
        return error


def _parse_array(
    version: int, document: Mapping[str, Any], attributes: Mapping[str, Any], selection: ArraySelection
) -> ArraySpec:
    if version == 3:
        return parse_zarr_json(document)
    names = attributes.get("_ARRAY_DIMENSIONS")
    shape = document.get("shape")
    rank = len(shape) if isinstance(shape, list) else 0
    try:
        own_names = parse_names(rank)(names)
    except FormatError:
        own_names = ()
    return parse_zarray(document, own_names, selection.dimension_separator)
