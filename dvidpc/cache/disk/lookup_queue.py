"""Looks up what is asked for in one turn of the event loop as one batch, in threads."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from dvidpc.cache.disk.entries import Found
from dvidpc.cache.disk.lookups import Batch, Lookups
from dvidpc.threads import ThreadPool

PATIENCE_S: Final = 3.0
"""How long a read waits for the disk before it asks the bucket."""

_READERS: Final = 4
_LEAST_SHARE: Final = 12
"""Lookups of one batch that one thread does before another one helps it."""

_Wanted: TypeAlias = dict[bytes, list[asyncio.Future[Found | None]]]
"""Who waits for which entry."""


@dataclass(slots=True, eq=False)
class _Turn:
    """The lookups of one turn, which are answered together so that what is missing is read together."""

    wanted: _Wanted
    running: int = 0
    """Threads that look up a share of it."""
    found: dict[bytes, Found] = field(default_factory=dict)
    timer: asyncio.TimerHandle | None = None
    is_late: bool = False
    """Whether it takes so long that it was answered without the disk."""


class LookupQueue:
    """Looks up entries for callers on one event loop.

    Args:
        lookups: Reads them, in any thread.
        note: Called on the event loop with what each share of a batch came to; with a `TimeoutError` as its
            error if the disk does not answer.
    """

    def __init__(self, lookups: Lookups, note: Callable[[Batch], None]) -> None:
        self._lookups = lookups
        self._note = note
        self._threads = ThreadPool(_READERS, thread_name_prefix="disk-read")
        self._wanted: _Wanted = {}
        self._late = 0
        """Batches that take too long."""

    async def find(self, name: bytes) -> Found | None:
        """Return an entry; None if it is not on disk, or cannot be read in time."""
        if self._late:
            return None
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Found | None] = loop.create_future()
        if not self._wanted:
            loop.call_soon(self._start)
        self._wanted.setdefault(name, []).append(answer)
        return await answer

    def close(self) -> None:
        """Release the threads; lookups in progress are not waited for."""
        self._threads.shutdown(wait=False)

    def _start(self) -> None:
        """Look up what was asked for in this turn."""
        turn, self._wanted = _Turn(self._wanted), {}
        loop = asyncio.get_running_loop()
        turn.timer = loop.call_later(PATIENCE_S, self._give_up, turn)
        names = list(turn.wanted)
        share = max(_LEAST_SHARE, -(-len(names) // _READERS))
        for start in range(0, len(names), share):
            turn.running += 1
            try:
                self._threads.submit(self._look_up, loop, turn, names[start : start + share])
            except RuntimeError:  # the pool is closed, or the system gives us no thread
                loop.call_soon(self._end, turn, Batch())

    def _look_up(self, loop: asyncio.AbstractEventLoop, turn: _Turn, names: list[bytes]) -> None:
        """Look up a share of a batch, in a thread."""
        batch = Batch()
        try:
            batch = self._lookups.find_all(names)
        finally:
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(self._end, turn, batch)

    def _give_up(self, turn: _Turn) -> None:
        """Answer a batch that takes too long; until it ends, the disk is not asked."""
        turn.is_late = True
        self._late += 1
        self._note(Batch(error=TimeoutError()))
        _answer(turn.wanted, {})

    def _end(self, turn: _Turn, batch: Batch) -> None:
        """Note the result of one thread; the last one answers."""
        turn.found.update(batch.found)
        turn.running -= 1
        if not turn.running:
            self._late -= turn.is_late
            if turn.timer is not None:
                turn.timer.cancel()
            _answer(turn.wanted, turn.found)
        self._note(batch)


def _answer(wanted: _Wanted, found: dict[bytes, Found]) -> None:
    for name, answers in wanted.items():
        for answer in answers:
            if not answer.done():
                answer.set_result(found.get(name))
