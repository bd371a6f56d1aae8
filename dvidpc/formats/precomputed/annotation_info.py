"""Parses the `info` of an annotation collection.

(neuroglancer annotations.md; where its reader differs, precomputed/frontend.ts decides.)
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.annotation_properties import Property, read_property
from dvidpc.formats.precomputed.annotation_units import Dimension, read_dimensions
from dvidpc.formats.precomputed.info import parse_sharding
from dvidpc.formats.precomputed.info_values import (
    json_object,
    list_of,
    number,
    one_of,
    positive,
    positive_float,
    read_member,
    relative_path,
    text,
)
from dvidpc.formats.precomputed.sharding import ShardingSpec
from dvidpc.formats.precomputed.side_documents import decode_document, expect_type

T = TypeVar("T")

ANNOTATIONS_TYPE: Final = "neuroglancer_annotations_v1"
"""The `@type` that marks a collection."""

RANK: Final = 3
"""Coordinates of a position; DVID has three."""

_MORTON_BITS: Final = 64


class AnnotationType(StrEnum):
    """The geometry of all annotations of a collection."""

    POINT = "point"
    LINE = "line"
    BOX = "axis_aligned_bounding_box"
    ELLIPSOID = "ellipsoid"
    POLYLINE = "polyline"

    @property
    def num_ends(self) -> int:
        """How many positions of an annotation become elements: 2 for a line, 1 for all others."""
        return 2 if self is AnnotationType.LINE else 1


@dataclass(frozen=True, slots=True)
class Index:
    """Where lists of annotations, or annotations, lie by a number."""

    key: str
    """The directory, relative to the collection's."""
    sharding: ShardingSpec | None
    """None: each has an object of its own."""


@dataclass(frozen=True, slots=True)
class Relationship:
    """The annotations of each of a kind of objects, such as segments."""

    id: str
    index: Index


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the spatial index: a grid whose first cell begins at the collection's origin."""

    index: Index
    grid_shape: tuple[int, ...]
    """Number of cells along each stored axis."""
    chunk_size: tuple[float, ...]
    """Extent of a cell along each stored axis, in units of the dimensions."""

    @property
    def num_cells(self) -> int:
        """How many cells the level has, stored or not."""
        return math.prod(self.grid_shape)


@dataclass(frozen=True, slots=True)
class Collection:
    """The content of a collection's `info`. Axes are in the stored order."""

    dimensions: tuple[Dimension, ...]
    origin: tuple[float, ...]
    """Where the grid of each level begins: `lower_bound`. It bounds nothing."""
    upper_bound: tuple[float, ...] | None
    """As stated; annotations may lie beyond. None: it is not finite."""
    annotation_type: AnnotationType
    properties: tuple[Property, ...]
    """In the order of the `info`, which is not that of the records."""
    relationships: tuple[Relationship, ...]
    levels: tuple[Level, ...]
    """Coarse to fine; all of them must be read."""
    by_id: Index | None
    """None: annotations cannot be read by id."""
    warnings: tuple[str, ...] = ()
    """What an operator should know about the `info`."""


def is_annotation_info(data: bytes) -> bool:
    """Return whether an `info` file describes an annotation collection; False for what is no JSON object."""
    try:
        kind = _decode(data).get("@type")
    except FormatError:
        return False
    return isinstance(kind, str) and kind.lower() == ANNOTATIONS_TYPE


def parse_annotation_info(data: bytes) -> Collection:
    """Parse the `info` of a collection.

    Raises:
        FormatError: It is malformed, has another number of dimensions than three, or no index; the message
            names the key.
    """
    document = _decode(data)
    expect_type(document, ANNOTATIONS_TYPE)
    dimensions = read_member(document, "dimensions", read_dimensions)
    if len(dimensions) != RANK:
        raise FormatError(f"dimensions has {len(dimensions)} entries; DVID's annotations have x, y and z")
    levels = read_member(document, "spatial", list_of(_read_level))
    origin, warnings = _read_origin(document, levels)
    collection = Collection(
        dimensions,
        origin,
        _finite_or_none(read_member(document, "upper_bound", _read_bound)),
        read_member(document, "annotation_type", one_of(AnnotationType)),
        read_member(document, "properties", list_of(read_property), default=()),
        read_member(document, "relationships", list_of(_read_relationship)),
        levels,
        read_member(document, "by_id", _read_by_id, default=None),
        warnings,
    )
    _refuse_repeated("properties", [each.id for each in collection.properties])
    _refuse_repeated("relationships", [each.id for each in collection.relationships])
    if not collection.levels and not collection.relationships:
        raise FormatError("spatial and relationships are both empty: no annotation can be found")
    return collection


def _decode(data: bytes) -> dict[str, Any]:
    """Return the JSON object in *data*, which may hold `Infinity` as Python writes it."""
    try:
        return decode_document(data)
    except FormatError:
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise
        return document


def _vector(read: Callable[[object], T]) -> Callable[[object], tuple[T, ...]]:
    """Return a reader of a number along each stored axis."""

    def read_vector(value: object) -> tuple[T, ...]:
        if not isinstance(value, list) or len(value) != RANK:
            raise FormatError(f"is not a list of {RANK} numbers")
        return tuple(read(each) for each in value)

    return read_vector


_read_bound = _vector(number)


def _finite_or_none(bound: tuple[float, ...]) -> tuple[float, ...] | None:
    return bound if all(map(math.isfinite, bound)) else None


def _read_origin(
    document: Mapping[str, object], levels: Sequence[Level]
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Return where the grids begin, and warnings; the only cell of a grid may begin anywhere."""
    bound = read_member(document, "lower_bound", _read_bound)
    if _finite_or_none(bound) is not None:
        return bound, ()
    if all(level.num_cells == 1 for level in levels):
        return (0.0,) * RANK, ("lower_bound is not finite, as in an empty collection; it is ignored",)
    raise FormatError("lower_bound is not finite, so the cells of the spatial index lie nowhere")


def _read_index(value: object) -> Index:
    entry = json_object(value)
    return Index(
        read_member(entry, "key", relative_path),
        read_member(entry, "sharding", parse_sharding, default=None),
    )


def _read_by_id(value: object) -> Index | None:
    """Return the index by id; None for the empty object that some writers leave."""
    return _read_index(value) if json_object(value) else None


def _read_relationship(value: object) -> Relationship:
    return Relationship(read_member(json_object(value), "id", text), _read_index(value))


def _read_level(value: object) -> Level:
    entry = json_object(value)
    level = Level(
        _read_index(entry),
        read_member(entry, "grid_shape", _vector(positive)),
        read_member(entry, "chunk_size", _vector(positive_float)),
    )
    if sum((n - 1).bit_length() for n in level.grid_shape) > _MORTON_BITS:
        raise FormatError(f"grid_shape is {list(level.grid_shape)}, more cells than can be numbered")
    return level


def _refuse_repeated(member: str, ids: Sequence[str]) -> None:
    repeated = {name for name in ids if ids.count(name) > 1}
    if repeated:
        raise FormatError(f"{member} holds the id {min(repeated)[:60]!r} twice")
