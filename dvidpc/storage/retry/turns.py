"""Whose turn it is among those who wait: nobody gets a second turn before everybody else got a first."""

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


class Turns:
    """A queue that goes round the parties that wait, so that a long list of wishes delays nobody else's.

    A party is whatever wishes belong to: an export of thousands of blocks is one, the sixteen blocks of
    somebody's view another.
    """

    def __init__(self) -> None:
        self._parties: dict[object, deque[asyncio.Future[None]]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._parties.values()))

    def __bool__(self) -> bool:
        return bool(self._parties)

    def add(self, party: object, turn: "asyncio.Future[None]") -> None:
        """Let *turn* wait, behind what *party* waits for already."""
        self._parties.setdefault(party, deque()).append(turn)

    def discard(self, party: object, turn: "asyncio.Future[None]") -> None:
        """Forget *turn*, if it still waits."""
        wishes = self._parties.get(party)
        if wishes is not None and turn in wishes:
            wishes.remove(turn)
            if not wishes:
                del self._parties[party]

    def next(self) -> "asyncio.Future[None] | None":
        """Take out whose turn it is; None: nobody waits."""
        for party, wishes in self._parties.items():
            turn = wishes.popleft()
            del self._parties[party]
            if wishes:
                self._parties[party] = wishes  # behind all others
            return turn
        return None
