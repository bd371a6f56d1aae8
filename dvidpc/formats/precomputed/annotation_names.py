"""What the names of properties and relationships say by convention.

The conventions are those of published collections: `pre_synaptic_cell`, `body_pre`, `conf_pre`,
`pre_synaptic_confidence`; an enumeration `kind` of `PreSyn` and `PostSyn`.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

from dvidpc.formats.precomputed.annotation_settings import Kind

Side: TypeAlias = Literal["pre", "post"]

_BODY: Final = r"(?:cell|body|segment|root|neuron)(?:_?id)?"
_SIDE_OF_BODY: Final = (
    re.compile(rf"(?P<side>pre|post)(?:_?syn(?:aptic)?)?(?:(?:_[a-z0-9]+)*_)?{_BODY}"),
    re.compile(rf"{_BODY}_(?P<side>pre|post)(?:_?syn(?:aptic)?)?"),
)
_SIDE_OF_PROPERTY: Final = (
    re.compile(r"(?P<side>pre|post)(?:_?syn(?:aptic)?)?_(?P<base>[a-z0-9_]+)"),
    re.compile(r"(?P<base>[a-z0-9_]+)_(?P<side>pre|post)"),
)
_BODIES: Final = frozenset({"body", "bodies", "cell", "cells", "segment", "segments"})
_SITE: Final = re.compile(r"(?:.*_)?sites?")
_BASES: Final = MappingProxyType({"confidence": "conf"})
_NO_LETTERS: Final = re.compile(r"[\W_]+")
_KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        **dict.fromkeys(("pre", "presyn", "presynaptic", "tbar"), Kind.PRE_SYN),
        **dict.fromkeys(("post", "postsyn", "postsynaptic", "psd"), Kind.POST_SYN),
        **dict.fromkeys(("gap", "gapjunction"), Kind.GAP),
        **dict.fromkeys(("note", "bookmark", "todo"), Kind.NOTE),
    }
)


class SidedName(NamedTuple):
    """The name of a property of one side of a connection."""

    side: Side
    base: str
    """What it is called without the side; `conf` for a confidence."""


def side_of_relationship(name: str) -> Side | None:
    """Return on which side of a connection the related body lies; None if the name does not say."""
    for pattern in _SIDE_OF_BODY:
        if match := pattern.fullmatch(name.lower()):
            return _side(match)
    return None


def is_body(name: str) -> bool:
    """Return whether a relationship without sides is one to bodies."""
    return name.lower() in _BODIES


def is_site(name: str) -> bool:
    """Return whether a relationship is one to synaptic sites, which are no bodies."""
    return _SITE.fullmatch(name.lower()) is not None


def side_of_property(name: str) -> SidedName | None:
    """Return the side that a property describes; None if it describes the connection."""
    for pattern in _SIDE_OF_PROPERTY:
        if match := pattern.fullmatch(name.lower()):
            return SidedName(_side(match), _BASES.get(match["base"], match["base"]))
    return None


def kind_of_label(label: str) -> Kind | None:
    """Return the kind that a word of an enumeration means; None if it means none."""
    return _KINDS.get(_NO_LETTERS.sub("", label.lower()))


def _side(match: re.Match[str]) -> Side:
    return "pre" if match["side"] == "pre" else "post"
