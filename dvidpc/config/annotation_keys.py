"""Kinds of values that only the stores of annotations have."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Final

from dvidpc.config.store_values import parse_instance
from dvidpc.config.values import BadValueError, describe
from dvidpc.config.values import Kind as ValueKind
from dvidpc.formats.precomputed.annotation_settings import End, Kind, KindProperty, MemberName, VoxelSize

_BY_PROPERTY: Final = "property:"
"""Begins the value of `kind` that names an enum property."""
_WORDS: Final = {kind.value: kind for kind in (Kind.PRE_SYN, Kind.POST_SYN, Kind.GAP, Kind.NOTE)}
_ENDS: Final = {"a": End.A, "b": End.B}
_VALUE: Final = "{}"
"""Stands for the value of a property in the text of a tag."""
_SIDED: Final = re.compile(r"(?:([ab]):)?([^:]+)")
_MOST_NM: Final = 1e9


def parse_voxel_size(value: object) -> VoxelSize | None:
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


def parse_kind(value: object) -> tuple[Kind, Kind] | KindProperty | None:
    """Parse the kinds of elements: one, those of a line's two ends, or `property:<id>`; None: unset."""
    if value == "":
        return None
    if isinstance(value, str):
        if value.startswith(_BY_PROPERTY) and value != _BY_PROPERTY:
            return KindProperty(value.removeprefix(_BY_PROPERTY))
        return _parse_word(value), _parse_word(value)
    if not isinstance(value, list) or len(value) != 2:
        raise BadValueError
    a, b = map(_parse_word, value)
    return a, b


def parse_margin(value: object) -> float | None:
    """Parse a length in units of the collection's dimensions; None: found out from a sample."""
    if value == "auto":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise BadValueError
    return float(value)


def _parse_word(word: object) -> Kind:
    if not isinstance(word, str) or word not in _WORDS:
        raise BadValueError(f"no kind of element is {describe(word)}; there are {', '.join(_WORDS)}")
    return _WORDS[word]


def _parse_end(end: str) -> End:
    if end not in _ENDS:
        raise BadValueError(f'expected "a" or "b", the end of a line, got {describe(end)}')
    return _ENDS[end]


def _parse_tag(text: str) -> str:
    if text.count(_VALUE) != 1:
        raise BadValueError(f"{describe(text)} does not hold {_VALUE} once, where the property's value goes")
    return text


def _parse_name(name: str) -> MemberName:
    match = _SIDED.fullmatch(name)
    if name and match is None:
        raise BadValueError(f'{describe(name)} is neither a name, "a:name", "b:name" nor empty')
    return MemberName("") if match is None else MemberName(match[2], _ENDS.get(match[1]))


def _table(words: str, example: str, parse_text: Callable[[str], object]) -> ValueKind:
    """Return the kind of tables whose values *parse_text* converts."""

    def parse(value: object) -> tuple[tuple[str, object], ...]:
        if not isinstance(value, Mapping):
            raise BadValueError
        for text in value.values():
            if not isinstance(text, str):
                raise BadValueError(f"expected strings in the table, got {describe(text)}")
        return tuple((name, parse_text(text)) for name, text in value.items())

    return ValueKind(words, example, parse)


SYNC = ValueKind(
    "the instance of a store", '"segmentation"', lambda value: parse_instance(value) if value != "" else None
)
VOXEL_SIZE = ValueKind("an array of three sizes in nm, x, y and z", "[8, 8, 8]", parse_voxel_size)
KIND = ValueKind('a kind, an array of two, or "property:<id>"', '["PreSyn", "PostSyn"]', parse_kind)
BODIES = _table(
    "a table of relationships and ends", '{ pre_synaptic_cell = "a", post_synaptic_cell = "b" }', _parse_end
)
TAGS = _table("a table of properties and texts", '{ roi = "{}", user = "user:{}" }', _parse_tag)
PROPS = _table("a table of properties and names", '{ pre_synaptic_confidence = "a:conf" }', _parse_name)
MARGIN = ValueKind('a length of at least 0, or "auto"', '"auto"', parse_margin)
