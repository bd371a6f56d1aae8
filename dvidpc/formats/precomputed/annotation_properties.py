"""The `properties` of an annotation collection: the values that every annotation has."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.info_values import json_object, list_of, number, one_of, read_member, text

_ID: Final = re.compile(r"[a-z][a-zA-Z0-9_]*", re.ASCII)


class PropertyType(StrEnum):
    """The type of a property."""

    RGB = "rgb"
    RGBA = "rgba"
    BOOL = "bool"
    UINT8 = "uint8"
    INT8 = "int8"
    UINT16 = "uint16"
    INT16 = "int16"
    UINT32 = "uint32"
    INT32 = "int32"
    FLOAT32 = "float32"


@dataclass(frozen=True, slots=True)
class Property:
    """A value that every annotation has."""

    id: str
    type: PropertyType
    labels: tuple[tuple[float, str], ...] = ()
    """Values and the words they stand for; a value without a word is legal."""


def read_property(value: object) -> Property:
    """Return an entry of the `properties` member.

    Raises:
        FormatError: It is malformed.
    """
    entry = json_object(value)
    name = read_member(entry, "id", text)
    if not _ID.fullmatch(name):
        raise FormatError(f"id is {name[:60]!r}, not a letter from a to z, and letters, digits or _")
    kind = read_member(entry, "type", one_of(PropertyType))
    if kind in {PropertyType.RGB, PropertyType.RGBA} or entry.get("enum_values") is None:
        return Property(name, kind)
    values = read_member(entry, "enum_values", list_of(number))
    labels = read_member(entry, "enum_labels", list_of(text))
    if len(values) != len(labels):
        raise FormatError(f"{name} has {len(values)} enum_values and {len(labels)} enum_labels")
    return Property(name, kind, tuple(zip(values, labels, strict=True)))
