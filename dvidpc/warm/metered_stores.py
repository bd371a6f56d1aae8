"""Stores that measure what is read through them: above the disk cache, below it, and at the bucket."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from dvidpc.storage.base import Blob, ObjectStore
from dvidpc.storage.store_above import StoreAbove
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange
from dvidpc.warm.pace import Pace


@dataclass(slots=True)
class Reading:
    """What the reads of one task brought, in bytes as stored."""

    given: int = 0
    """From disk or bucket."""
    asked: int = 0
    """Those that the disk cache did not have."""


READING: Final[ContextVar[Reading]] = ContextVar("reading")
"""Where the reads of the current task are counted; unset: nowhere."""


def note_given(nbytes: int) -> None:
    """Count what the disk cache or the bucket gave."""
    if (reading := READING.get(None)) is not None:
        reading.given += nbytes


def note_asked(nbytes: int) -> None:
    """Count what the disk cache asked the bucket for."""
    if (reading := READING.get(None)) is not None:
        reading.asked += nbytes


class MeteredStore(StoreAbove):
    """An `ObjectStore` that tells *note* the size of what it reads.

    Args:
        store: What is read from.
        note: Called after each read with its bytes as stored.
        pace: Delays reads; None: they start at once.
    """

    def __init__(self, store: ObjectStore, note: Callable[[int], None], pace: Pace | None = None) -> None:
        super().__init__(store)
        self._note = note
        self._pace = pace
        self._usual = 0
        """Bytes of the last whole object: what the next one is taken to have until it is there."""

    async def get(self, key: str, *, max_size: int, is_metadata: bool = False) -> Blob | None:
        """As the underlying store."""
        expected = self._usual
        await self._wait(expected)
        blob = await self._store.get(key, max_size=max_size, is_metadata=is_metadata)
        nbytes = 0 if blob is None else len(blob.data if blob.gzip is None else blob.gzip)
        if not is_metadata and blob is not None:
            self._usual = nbytes
        if self._pace is not None:
            self._pace.settle(nbytes - expected)
        self._note(nbytes)
        return blob

    async def get_range(
        self, key: str, byte_range: ByteRange, *, version: Version | None = None
    ) -> Blob | None:
        """As the underlying store."""
        await self._wait(byte_range.size)
        return self._noted(await self._store.get_range(key, byte_range, version=version))

    async def get_tail(self, key: str, size: int) -> Blob | None:
        """As the underlying store."""
        await self._wait(size)
        return self._noted(await self._store.get_tail(key, size))

    async def _wait(self, nbytes: int) -> None:
        if self._pace is not None:
            await self._pace.take(nbytes)

    def _noted(self, blob: Blob | None) -> Blob | None:
        self._note(0 if blob is None else len(blob.data))
        return blob
