"""Parses segment properties, and gives those of one segment as the JSON object of DVID's neuronjson.

(neuroglancer segment_properties.rst)
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import FormatError
from dvidpc.formats.dvid.go_json import JsonValue, sorted_map
from dvidpc.formats.precomputed.info_values import read_member, word
from dvidpc.formats.precomputed.side_documents import expect_type

MAX_PROPERTIES_SIZE = 128 * 2**20
"""Size limit of a segment properties `info` in bytes."""

T = TypeVar("T")

BODY_ID: Final = "bodyid"
NAME: Final = "name"

_TYPE = "neuroglancer_segment_properties"
_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
_MAX_PROPERTIES = 10_000
_FLOAT32_LIMIT = 2.0**128 - 2.0**103
"""The smallest number that rounds to infinity."""
_EXPANSION = 5
"""Bytes of memory per byte of JSON, roughly."""


@dataclass(frozen=True, slots=True)
class Property:
    """One property of all segments."""

    id: str
    is_label: bool
    values: list[Any]
    """One per segment, in the order of the file; None: the segment has none."""
    tags: tuple[str, ...] | None
    """What the numbers in *values* stand for; None if the property is not `tags`."""

    def value(self, at: int) -> JsonValue:
        """Return the value of the segment at position *at* of the file; None: it has none."""
        value: Any = self.values[at]
        return value if self.tags is None else [self.tags[number] for number in value]


class SegmentProperties:
    """Properties by segment id; the object of a segment is made when it is asked for.

    Args:
        ids: In the order of the file.
        properties: Those of all segments.
        nbytes: Memory use in bytes, roughly.

    Raises:
        FormatError: An id occurs twice.
    """

    def __init__(self, ids: NDArray[np.uint64], properties: tuple[Property, ...], nbytes: int) -> None:
        self._order = np.argsort(ids, kind="stable")
        self.ids: NDArray[np.uint64] = ids[self._order]
        """Ascending."""
        self.nbytes = nbytes
        self._properties = properties
        self._label = next((each for each in properties if each.is_label), None)
        if any(each.id == NAME for each in properties):
            self._label = None
        repeated = np.flatnonzero(self.ids[1:] == self.ids[:-1])
        if repeated.size:
            raise FormatError(f"inline ids holds {self.ids[repeated[0]]} twice")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def fields(self) -> tuple[str, ...]:
        """The members that objects can have, sorted."""
        named = {each.id for each in self._properties} | {BODY_ID}
        return tuple(sorted(named if self._label is None else named | {NAME}))

    def find(self, segment_id: int) -> dict[str, JsonValue] | None:
        """Return the object of a segment; None if it has no properties."""
        if not 0 <= segment_id < 2**64:
            return None
        at = int(self.ids.searchsorted(np.uint64(segment_id)))
        return self._object(at) if at < len(self.ids) and int(self.ids[at]) == segment_id else None

    def objects(self, first: int = 0, last: int = 2**64 - 1) -> Iterator[tuple[int, dict[str, JsonValue]]]:
        """Yield id and object of every segment from *first* to *last*, both inclusive, in ascending order."""
        first, last = max(first, 0), min(last, 2**64 - 1)
        if first > last:
            return
        start = int(self.ids.searchsorted(np.uint64(first)))
        stop = int(self.ids.searchsorted(np.uint64(last), side="right"))
        for at in range(start, stop):
            yield int(self.ids[at]), self._object(at)

    def _object(self, at: int) -> dict[str, JsonValue]:
        """Return an object with its members sorted, as Go writes maps; null members are left out."""
        row = int(self._order[at])
        members = {each.id: each.value(row) for each in self._properties}
        if self._label is not None:
            members[NAME] = self._label.value(row)
        members[BODY_ID] = int(self.ids[at])
        return sorted_map({name: value for name, value in members.items() if value is not None})


def parse_segment_properties(data: bytes) -> SegmentProperties:
    """Parse a segment properties `info`.

    Raises:
        FormatError: It is malformed; the message names the key.
    """
    document = _members(data)
    expect_type({"@type": _decode(document["@type"])} if "@type" in document else {}, _TYPE)
    if "inline" not in document:
        return SegmentProperties(np.zeros(0, np.uint64), (), 0)
    try:
        inline = _members(document["inline"])
    except FormatError as error:
        raise FormatError(f"inline {error}") from None
    ids = _read_inline(inline, "ids", _read_ids)
    entries = _read_inline(inline, "properties", _parts)
    if len(entries) > _MAX_PROPERTIES:
        raise FormatError(f"inline properties has {len(entries)} entries; the limit is {_MAX_PROPERTIES}")
    properties = tuple(_read_property(number, entry, len(ids)) for number, entry in enumerate(entries))
    named = [each.id for each in properties]
    for name in named:
        if named.count(name) > 1:
            raise FormatError(f"inline properties holds the id {name[:60]!r} twice")
    return SegmentProperties(ids, properties, _EXPANSION * len(data) + 8 * len(ids))


def _members(data: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    """Split a JSON object into its members.

    The document is decoded part by part, because other threads have to wait while a part is decoded.
    """
    try:
        return msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        raise FormatError("is not a JSON object") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"is not JSON: {error}") from error


def _parts(data: msgspec.Raw) -> list[msgspec.Raw]:
    """Split a JSON list into its entries."""
    try:
        return msgspec.json.decode(data, type=list[msgspec.Raw])
    except msgspec.ValidationError:
        raise FormatError("is not a list") from None


def _decode(data: msgspec.Raw) -> object:
    """Decode a part of the document."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"is not JSON: {error}") from error


def _read_inline(inline: Mapping[str, msgspec.Raw], name: str, read: Callable[[msgspec.Raw], T]) -> T:
    """Return a member of `inline` as converted by *read*."""
    if name not in inline:
        raise FormatError(f"inline {name} is missing")
    try:
        return read(inline[name])
    except FormatError as error:
        raise FormatError(f"inline {name} {error}") from None


def _read_ids(data: msgspec.Raw) -> NDArray[np.uint64]:
    value = _decode(data)
    if not isinstance(value, list):
        raise FormatError("is not a list")
    return np.array([_read_id(entry) for entry in value], np.uint64)


def _read_id(entry: object) -> int:
    """Return a segment id: decimal digits, or a number as some writers have it."""
    if isinstance(entry, str) and _ID.fullmatch(entry):
        entry = int(entry)
    if isinstance(entry, bool) or not isinstance(entry, int) or not 0 <= entry < 2**64:
        raise FormatError(f"holds {str(entry)[:40]!r}, which is not an unsigned 64-bit integer")
    return entry


def _read_property(number: int, data: msgspec.Raw, count: int) -> Property:
    try:
        return _parse_property(_decode(data), count)
    except FormatError as error:
        raise FormatError(f"inline property {number}: {error}") from None


def _parse_property(entry: object, count: int) -> Property:
    if not isinstance(entry, dict):
        raise FormatError("is not a JSON object")
    kind = read_member(entry, "type", word)
    if kind not in _VALUES:
        raise FormatError(f"type is {kind[:60]!r}, not one of {', '.join(_VALUES)}")
    tags = read_member(entry, "tags", _strings) if kind == "tags" else None
    values = read_member(entry, "values", lambda value: _list_of(value, count))
    _VALUES[kind](values, entry)
    return Property(read_member(entry, "id", _string), kind == "label", values, tags)


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise FormatError("is not a string")
    return value


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise FormatError("is not a list of strings")
    return tuple(_string(entry) for entry in value)


def _list_of(value: object, count: int) -> list[Any]:
    if not isinstance(value, list) or len(value) != count:
        raise FormatError(f"is not a list of {count} entries, one per segment")
    return value


def _check_strings(values: list[Any], _: Mapping[str, object]) -> None:
    for value in values:
        if not isinstance(value, str):
            raise FormatError(f"values holds {str(value)[:40]!r}, which is not a string")


def _check_tags(values: list[Any], entry: Mapping[str, object]) -> None:
    tags = entry["tags"]
    assert isinstance(tags, list)
    for value in values:
        if not isinstance(value, list) or not all(
            type(each) is int and 0 <= each < len(tags) for each in value
        ):
            raise FormatError(f"values holds {str(value)[:40]}, which is not a list of tag numbers")


def _check_numbers(values: list[Any], entry: Mapping[str, object]) -> None:
    """Check numbers and convert them in place; null means that the segment has none.

    A missing `data_type`, which neuroglancer refuses, leaves numbers as they are.
    """
    data_type = read_member(entry, "data_type", word, default="float32")
    if data_type != "float32" and data_type not in _INTEGER_TYPES:
        raise FormatError(f"data_type is {data_type[:60]!r}, not one of {', '.join(_INTEGER_TYPES)}, float32")
    for at, value in enumerate(values):
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _FLOAT32_LIMIT:
            raise FormatError(f"values holds {str(value)[:40]!r}, which is not a number of a {data_type}")
        if data_type != "float32":
            values[at] = _as_integer(value, data_type)


def _as_integer(value: float, data_type: str) -> int:
    """Convert a number as neuroglancer does: a fraction is cut off."""
    bounds = np.iinfo(data_type)
    if not bounds.min <= int(value) <= bounds.max:
        raise FormatError(f"values holds {value}, which is not a number of a {data_type}")
    return int(value)


_INTEGER_TYPES: Final = ("uint8", "int8", "uint16", "int16", "uint32", "int32")
_VALUES: Final[Mapping[str, Callable[[list[Any], Mapping[str, object]], None]]] = MappingProxyType(
    {
        "label": _check_strings,
        "description": _check_strings,
        "string": _check_strings,
        "tags": _check_tags,
        "number": _check_numbers,
    }
)
"""How the values of each type of property are checked."""
