"""Kinds of values that only the stores of annotations have."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Final

from dvidpc.config.store_values import parse_instance
from dvidpc.config.values import BadValueError, Kind, describe

KINDS: Final = ("PreSyn", "PostSyn", "Gap", "Note")
"""The kinds of elements that DVID has, besides `Unknown`."""
BY_PROPERTY: Final = "property:"
"""Begins the value of `kind` that names an enum property."""

_ENDS: Final = ("a", "b")
_VALUE: Final = "{}"
"""Stands for the value of a property in the text of a tag."""
_SIDED: Final = re.compile(r"(?:[ab]:)?[^:]+")
_MOST_NM: Final = 1e9

Pairs = tuple[tuple[str, str], ...]
"""A table of strings, in the order of the file."""


def parse_voxel_size(value: object) -> tuple[float, float, float] | None:
    """Parse the size of a voxel along x, y and z in nm; None: as other volumes of the file have it."""
    if value == "":
        return None
    if not isinstance(value, list) or len(value) != 3:
        raise BadValueError
    for size in value:
        if isinstance(size, bool) or not isinstance(size, int | float) or not 0 < size <= _MOST_NM:
            raise BadValueError(f"expected sizes above 0 in nm, got {describe(size)}")
    x, y, z = map(float, value)
    return x, y, z


def parse_kind(value: object) -> tuple[str, ...] | None:
    """Parse the kinds of elements: one, those of a line's two ends, or `property:<id>`; None: unset."""
    if value == "":
        return None
    if isinstance(value, str):
        if value.startswith(BY_PROPERTY) and value != BY_PROPERTY:
            return (value,)
        return (_parse_word(value),)
    if not isinstance(value, list) or len(value) != 2:
        raise BadValueError
    return tuple(map(_parse_word, value))


def parse_margin(value: object) -> float | None:
    """Parse a length in units of the collection's dimensions; None: found out from a sample."""
    if value == "auto":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise BadValueError
    return float(value)


def _parse_word(word: object) -> str:
    if not isinstance(word, str) or word not in KINDS:
        raise BadValueError(f"no kind of element is {describe(word)}; there are {', '.join(KINDS)}")
    return word


def _check_end(end: str) -> None:
    if end not in _ENDS:
        raise BadValueError(f'expected "a" or "b", the end of a line, got {describe(end)}')


def _check_tag(text: str) -> None:
    if text.count(_VALUE) != 1:
        raise BadValueError(f"{describe(text)} does not hold {_VALUE} once, where the property's value goes")


def _check_name(name: str) -> None:
    if name and not _SIDED.fullmatch(name):
        raise BadValueError(f'{describe(name)} is neither a name, "a:name", "b:name" nor empty')


def _table(words: str, example: str, check: Callable[[str], None]) -> Kind:
    """Return the kind of tables of strings whose values pass *check*."""

    def parse(value: object) -> Pairs:
        if not isinstance(value, Mapping):
            raise BadValueError
        for text in value.values():
            if not isinstance(text, str):
                raise BadValueError(f"expected strings in the table, got {describe(text)}")
            check(text)
        return tuple(value.items())

    return Kind(words, example, parse)


SYNC = Kind(
    "the instance of a store", '"segmentation"', lambda value: parse_instance(value) if value != "" else None
)
VOXEL_SIZE = Kind("an array of three sizes in nm, x, y and z", "[8, 8, 8]", parse_voxel_size)
KIND = Kind('a kind, an array of two, or "property:<id>"', '["PreSyn", "PostSyn"]', parse_kind)
BODIES = _table(
    "a table of relationships and ends", '{ pre_synaptic_cell = "a", post_synaptic_cell = "b" }', _check_end
)
TAGS = _table("a table of properties and texts", '{ roi = "{}", user = "user:{}" }', _check_tag)
PROPS = _table("a table of properties and names", '{ pre_synaptic_confidence = "a:conf" }', _check_name)
MARGIN = Kind('a length of at least 0, or "auto"', '"auto"', parse_margin)
