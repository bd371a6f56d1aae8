"""What a count of stored chunks found, whatever the format."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from dvidpc.types import Point

MAX_NAMED: Final = 5
"""Damaged objects that are named; further ones are only counted."""

Progress = Callable[[int, int], None]
"""Called with the number of chunks counted so far, and of all chunks."""


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

    def note_foreign(self, name: str) -> None:
        """Count a chunk that does not belong to the scale."""
        self.foreign += 1
        self.first_foreign = self.first_foreign or name

    def note_damage(self, what: str) -> None:
        """Count a damaged object."""
        self.damaged += 1
        if len(self.damage) < MAX_NAMED:
            self.damage.append(what)
