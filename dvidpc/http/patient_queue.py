"""A queue of requests whose clients wait long and bear no refusal."""

import asyncio
from typing import Final

MOST_HELD: Final = 32 * 2**20
"""Bytes that the URLs of the queued requests may have; a queued request holds little else."""

Turn = asyncio.Future[bool]
"""Whether a request was admitted (True) or its patience ended (False)."""


class PatientQueue:
    """Queued requests in order of arrival, each with the time at which its patience ends."""

    def __init__(self) -> None:
        self.turns: Final[dict[Turn, float]] = {}
        """When the patience of each queued request ends, by the clock."""
        self._held = 0

    def __len__(self) -> int:
        return len(self.turns)

    def has_room(self, nbytes: int) -> bool:
        """Return whether a request whose URL has *nbytes* may wait."""
        return self._held + nbytes <= MOST_HELD

    def add(self, until: float, nbytes: int) -> Turn:
        """Queue a request until *until*; the caller calls `remove` with the same *nbytes* at its end."""
        turn: Turn = asyncio.get_running_loop().create_future()
        self.turns[turn] = until
        self._held += nbytes
        return turn

    def remove(self, turn: Turn, nbytes: int) -> None:
        """Forget *turn*, queued or not."""
        self.turns.pop(turn, None)
        self._held -= nbytes

    def admit_next(self) -> bool:
        """Admit the request that arrived first; return False if none is queued."""
        while self.turns:
            turn = next(iter(self.turns))
            del self.turns[turn]
            if not turn.done():
                turn.set_result(True)
                return True
        return False

    def end_waits(self, now: float) -> None:
        """End the waits of requests whose patience has ended by *now*."""
        for turn in [turn for turn, until in self.turns.items() if until <= now]:
            del self.turns[turn]
            if not turn.done():
                turn.set_result(False)


def was_admitted(turn: Turn) -> bool:
    """Return whether *turn* was given a place, even if its task does not know yet."""
    return turn.done() and not turn.cancelled() and turn.result()
