"""A fair queue: parties take turns, however many requests each has waiting."""

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


class Turns:
    """A round-robin queue over parties, so that one with many requests does not delay the others.

    A party is what requests belong to: an export of thousands of blocks is one party, the sixteen blocks of a
    view another.
    """

    def __init__(self) -> None:
        self._parties: dict[object, deque[asyncio.Future[None]]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._parties.values()))

    def __bool__(self) -> bool:
        return bool(self._parties)

    def add(self, party: object, turn: "asyncio.Future[None]") -> None:
        """Queue *turn* behind the others of *party*."""
        self._parties.setdefault(party, deque()).append(turn)

    def discard(self, party: object, turn: "asyncio.Future[None]") -> None:
        """Remove *turn* if it is still queued."""
        queued = self._parties.get(party)
        if queued is not None and turn in queued:
            queued.remove(turn)
            if not queued:
                del self._parties[party]

    def next(self) -> "asyncio.Future[None] | None":
        """Remove and return the next turn; None if nothing is queued."""
        for party, queued in self._parties.items():
            turn = queued.popleft()
            del self._parties[party]
            if queued:
                self._parties[party] = queued  # behind all others
            return turn
        return None
