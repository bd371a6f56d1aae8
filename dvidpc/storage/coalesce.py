"""Joins reads of neighbouring ranges: a request to a bucket costs more than a few unneeded bytes."""

import asyncio
from collections.abc import Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple

from dvidpc.errors import FormatError
from dvidpc.storage.base import Blob, ObjectStore
from dvidpc.storage.store_above import StoreAbove
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange

MAX_GAP: Final = 64 * 1024
"""The most unneeded bytes between two ranges of one read (benchmarks/RESULTS.md)."""

MAX_SIZE: Final = 2 * 2**20
"""The largest joined read in bytes: beyond it, two parallel reads are faster than one."""


def plan_reads(
    ranges: Sequence[ByteRange], *, max_gap: int = MAX_GAP, max_size: int = MAX_SIZE
) -> list[ByteRange]:
    """Return reads that cover *ranges*, in ascending order; each range lies within one read.

    Ranges may overlap and repeat. Two are joined if at most *max_gap* bytes lie between them and the joined
    read holds at most *max_size* bytes.
    """
    reads: list[ByteRange] = []
    for wanted in sorted(set(ranges)):
        if reads:
            joined = ByteRange(reads[-1].start, max(reads[-1].stop, wanted.stop))
            gap = wanted.start - reads[-1].stop
            if wanted.stop <= reads[-1].stop or (gap <= max_gap and joined.size <= max_size):
                reads[-1] = joined
                continue
        reads.append(wanted)
    return reads


class _Alone(Enum):
    """The type of `_ALONE`."""

    ALONE = "alone"


_ALONE: Final = _Alone.ALONE
"""The answer to a caller whose range is joined with no other: it reads itself, which takes no task."""


@dataclass(slots=True, eq=False)
class _Wanted:
    """A range that a caller waits for."""

    byte_range: ByteRange
    answer: "asyncio.Future[Blob | _Alone | None]"
    context: Context
    """The caller's context: a joined read is counted and queued as its first caller's."""
    reading: "_Reading | None" = None
    """The joined read that serves it; None if there is none yet, or the caller reads itself."""


class _Reading(NamedTuple):
    """A joined read in flight."""

    task: "asyncio.Task[None]"
    served: Sequence[_Wanted]


class CoalescingStore(StoreAbove):
    """An `ObjectStore` that joins ranged reads that are requested in the same cycle of the event loop.

    By the next cycle, a client's request has asked for all of its blocks whose places are known. A joined
    read is cancelled once nobody waits for it.
    """

    def __init__(self, store: ObjectStore) -> None:
        super().__init__(store)
        self._wanted: dict[tuple[str, Version | None], list[_Wanted]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        """Tasks that read from the underlying store."""

    async def get_range(
        self, key: str, byte_range: ByteRange, *, version: Version | None = None
    ) -> Blob | None:
        """As the underlying store, perhaps through a longer read that serves other callers too."""
        loop = asyncio.get_running_loop()
        wanted = _Wanted(byte_range, loop.create_future(), copy_context())
        if not self._wanted:
            loop.call_soon(self._start)
        self._wanted.setdefault((key, version), []).append(wanted)
        try:
            answer = await wanted.answer
        except asyncio.CancelledError:
            if wanted.reading is not None and not _waiting(wanted.reading.served):
                wanted.reading.task.cancel()
            raise
        return await self._read_alone(key, byte_range, version) if answer is _ALONE else answer

    async def close(self) -> None:
        """Cancel all reads, then close the underlying store."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._store.close()

    def _start(self) -> None:
        """Start the reads that were requested since the last time."""
        asked, self._wanted = self._wanted, {}
        for (key, version), wanted in asked.items():
            for read in plan_reads([one.byte_range for one in wanted]):
                served = [one for one in wanted if _lies_in(one.byte_range, read)]
                if len(served) > 1:
                    self._run(key, version, read, served)
                    continue
                for one in _waiting(served):
                    one.answer.set_result(_ALONE)

    def _run(self, key: str, version: Version | None, read: ByteRange, served: Sequence[_Wanted]) -> None:
        reading = self._read(key, version, read, served)
        task = asyncio.get_running_loop().create_task(reading, context=served[0].context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        for one in served:
            one.reading = _Reading(task, served)

    async def _read_alone(self, key: str, byte_range: ByteRange, version: Version | None) -> Blob | None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            return await self._store.get_range(key, byte_range, version=version)
        finally:
            self._tasks.discard(task)

    async def _read(
        self, key: str, version: Version | None, read: ByteRange, served: Sequence[_Wanted]
    ) -> None:
        try:
            blob = await self._store.get_range(key, read, version=version)
        except FormatError:  # one range ends beyond the object; let each caller read its own
            for one in _waiting(served):
                one.answer.set_result(_ALONE)
        except asyncio.CancelledError:
            for one in served:
                one.answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - passed on to the callers, whatever it is
            for one in _waiting(served):
                one.answer.set_exception(error)
        else:
            for one in _waiting(served):
                one.answer.set_result(_part(blob, read, one.byte_range))


def _lies_in(inner: ByteRange, outer: ByteRange) -> bool:
    return outer.start <= inner.start and inner.stop <= outer.stop


def _waiting(served: Sequence[_Wanted]) -> list[_Wanted]:
    """Return the callers that are neither answered nor cancelled."""
    return [one for one in served if not one.answer.done()]


def _part(blob: Blob | None, read: ByteRange, wanted: ByteRange) -> Blob | None:
    if blob is None or read == wanted:
        return blob
    return Blob(blob.data[wanted.start - read.start : wanted.stop - read.start], blob.version)
