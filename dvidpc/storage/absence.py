"""Decides whether an answer that looks like absence can be believed.

Some services answer 403 for a missing object, and 403 as well once credentials have expired or were removed.
A web server or directory whose disk is not mounted has no objects at all. Believed, such answers would turn
the whole volume into empty data. So absence is believed only while the volume's metadata can be read.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final
from weakref import WeakMethod

FRESH_S: Final = 3.0
"""How long one successful read, or one failed question for the metadata, is taken as proof."""


class Absences:
    """Whether the absence of objects in one store can be believed. Tasks of one event loop may call it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._metadata_key: str | None = None
        self._proven_for: object = None
        self._proven_until = 0.0
        self._lost_until = 0.0
        self._has_believed = False
        self._asking = asyncio.Lock()
        self._callbacks: list[WeakMethod[Callable[[], None]]] = []

    @property
    def metadata_key(self) -> str | None:
        """The object that proves that others would be readable; None if none was read yet."""
        return self._metadata_key

    def on_retracted(self, callback: Callable[[], None]) -> None:
        """As `ObjectStore.on_retracted`."""
        self._callbacks = [one for one in self._callbacks if one() is not None]
        self._callbacks.append(WeakMethod(callback))

    def note_read(self, secret: object = None, *, metadata_key: str | None = None) -> None:
        """Note that an object was read, and with which credentials.

        Args:
            secret: Names the credentials; compared by `==`.
            metadata_key: Its key if it describes the volume, else None.
        """
        self._metadata_key = metadata_key or self._metadata_key
        self._proven_for = secret
        self._proven_until = self._clock() + FRESH_S
        self._lost_until = 0.0
        self._has_believed = False

    def note_lost(self) -> None:
        """Note that the metadata cannot be read; retract what was believed since the last successful read."""
        self._lost_until = self._clock() + FRESH_S
        self._proven_until = 0.0
        if not self._has_believed:
            return
        self._has_believed = False
        for reference in self._callbacks:
            if callback := reference():
                callback()

    async def believes(
        self, can_read: Callable[[str], Awaitable[bool]], secret: object = None, *, by_default: bool
    ) -> bool:
        """Return whether an object that looks missing is missing.

        Args:
            can_read: Asks whether the object of a key can be read; called once in `FRESH_S` at most.
            secret: Names the credentials that were used; see `note_read`.
            by_default: What to return if no metadata was ever read.

        Raises:
            StoreError: By *can_read*.
        """
        async with self._asking:
            believed = await self._decide(can_read, secret, by_default=by_default)
        self._has_believed |= believed
        return believed

    async def _decide(
        self, can_read: Callable[[str], Awaitable[bool]], secret: object, *, by_default: bool
    ) -> bool:
        if self._clock() < self._proven_until and secret == self._proven_for:
            return True
        if self._metadata_key is None:
            return by_default
        if self._clock() < self._lost_until:
            return False
        if await can_read(self._metadata_key):
            self.note_read(secret)
            return True
        self.note_lost()
        return False
