"""What a count or a survey of stored chunks found, whatever the format."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from dvidpc.types import Point

MAX_NAMED: Final = 5
"""Damaged objects, and kinds of strays, that are named; further ones are only counted."""

Progress = Callable[[int, int], None]
"""Called with the number of chunks counted so far, and of all chunks."""


class Slip(StrEnum):
    """What is wrong with the name of an object that holds a chunk, or several, but is never read."""

    SUFFIX = "has a suffix"
    CASE = "is in another case"
    DIGITS = "has another number of digits"
    DEEPER = "is in a directory below"
    NESTED = "has / in place of _"
    LAYOUT = "is of the other layout: sharded, or not"
    ELSEWHERE = "is in another directory than the key says"
    SEPARATOR = "has another separator between its numbers"


@dataclass(slots=True)
class Stray:
    """Objects that look like chunks of a scale, but are not read, because their names slip in one way."""

    slip: Slip
    detail: str
    """The suffix, the directory or the separator; empty for other slips."""
    example: str
    """The first object, as the store knows it."""
    intended: str
    """Where that object would be read; empty if it cannot be said."""
    count: int = 1


@dataclass(slots=True)
class Strays:
    """The strays of a scale, by slip; at most `MAX_NAMED` kinds."""

    kinds: dict[tuple[Slip, str], Stray] = field(default_factory=dict)

    def note(self, slip: Slip, detail: str, example: str, intended: str) -> None:
        """Count an object."""
        if known := self.kinds.get((slip, detail)):
            known.count += 1
        elif len(self.kinds) < MAX_NAMED:
            self.kinds[slip, detail] = Stray(slip, detail, example, intended)

    @property
    def found(self) -> list[Stray]:
        """The strays, the most frequent kind first."""
        return sorted(self.kinds.values(), key=lambda stray: -stray.count)


@dataclass(slots=True)
class Survey:
    """What a short look at the listing of a scale saw."""

    listed: int = 0
    """Objects that have the name of a chunk or shard of the scale."""
    first_listed: str | None = None
    """The first of them, as the store knows it; None if there is none."""
    strays: Strays = field(default_factory=Strays)

    @property
    def is_empty(self) -> bool:
        """Whether it saw nothing that belongs to the scale."""
        return not self.listed and not self.strays.kinds


class Nearby(NamedTuple):
    """What lies where a volume should be, or near."""

    text: str
    directory: str | None
    """Where the metadata is, as the store knows it; None: none was found."""


@dataclass(slots=True)
class ChunkCount:
    """How much of one copy of a scale is stored."""

    chunk_size: Point
    expected: int
    """Chunks of the whole grid."""
    stored: int = 0
    first_absent: str | None = None
    """The first absent chunk; None: none is absent, or there are too many chunks to keep track of."""
    foreign: int = 0
    """Stored chunks that belong to no grid of the scale."""
    first_foreign: str | None = None
    damaged: int = 0
    damage: list[str] = field(default_factory=list)
    """What is wrong with the first `MAX_NAMED` damaged objects."""
    hidden: int = 0
    """Objects that are listed, but read as absent. Of unsharded chunks, only a sample is read."""
    first_hidden: str | None = None
    strays: Strays = field(default_factory=Strays)
    odd: int = 0
    """Objects with a name that no key can have, such as one with `//` or a tab; they are never read."""
    first_odd: str | None = None
    fill: int | float | None = None
    """What absent chunks hold, where it is usual to leave them out; None: no chunk should be absent."""

    def note_odd(self, name: str) -> None:
        """Count an object that is never read, because of its name."""
        self.odd += 1
        self.first_odd = self.first_odd or name

    def note_foreign(self, name: str) -> None:
        """Count a chunk that does not belong to the scale."""
        self.foreign += 1
        self.first_foreign = self.first_foreign or name

    def note_damage(self, what: str) -> None:
        """Count a damaged object."""
        self.damaged += 1
        if len(self.damage) < MAX_NAMED:
            self.damage.append(what)

    def note_hidden(self, name: str) -> None:
        """Count an object that is listed, but reads as absent."""
        self.hidden += 1
        self.first_hidden = self.first_hidden or name
