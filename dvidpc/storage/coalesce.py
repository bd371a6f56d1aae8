"""Fetches neighbouring ranges of one object together: a request to a bucket costs more than a few bytes."""

import asyncio
from collections.abc import Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, NamedTuple

from dvidpc.errors import FormatError
from dvidpc.storage.base import Blob, ObjectStore
from dvidpc.types import ByteRange

MAX_GAP: Final = 64 * 1024
"""Bytes nobody asked for that are read along rather than begin another request (benchmarks/RESULTS.md)."""

MAX_SIZE: Final = 2 * 2**20
"""Bytes of a read beyond which ranges are not joined: two reads side by side are faster than a longer one."""


def plan_reads(
    ranges: Sequence[ByteRange], *, max_gap: int = MAX_GAP, max_size: int = MAX_SIZE
) -> list[ByteRange]:
    """The reads that cover *ranges*, each of which lies in one of them; ascending.

    Ranges may overlap and repeat. Two are read together if no more than *max_gap* bytes lie between
    them and the read does not exceed *max_size* by it.
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
    """The type of _ALONE."""

    ALONE = "alone"


_ALONE: Final = _Alone.ALONE
"""The answer to who is joined with nobody: read it yourself, which takes no task."""


@dataclass(slots=True, eq=False)
class _Wanted:
    """A range somebody waits for."""

    byte_range: ByteRange
    answer: "asyncio.Future[Blob | _Alone | None]"
    context: Context
    """For which request: a read counts as, and takes the turn of, the first that it serves."""
    reading: "_Reading | None" = None
    """What serves it; None: nothing yet, or nothing but itself."""


class _Reading(NamedTuple):
    """A read under way."""

    task: "asyncio.Task[None]"
    served: Sequence[_Wanted]


class CoalescingStore:
    """An ObjectStore that joins the ranged reads that are asked for in the same moment.

    What is asked for until the event loop comes round belongs together: the blocks of one request whose
    places are known are all asked for by then. A read that nobody waits for any more is cancelled.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._wanted: dict[tuple[str, str | None], list[_Wanted]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        """Those that read from the store below."""

    @property
    def url(self) -> str:
        """That of the store below."""
        return self._store.url

    async def get(self, key: str, *, max_size: int) -> Blob | None:
        """As the store below."""
        return await self._store.get(key, max_size=max_size)

    async def get_range(self, key: str, byte_range: ByteRange, *, etag: str | None = None) -> Blob | None:
        """As the store below, perhaps by a longer read that serves others too."""
        loop = asyncio.get_running_loop()
        wanted = _Wanted(byte_range, loop.create_future(), copy_context())
        if not self._wanted:
            loop.call_soon(self._start)
        self._wanted.setdefault((key, etag), []).append(wanted)
        try:
            answer = await wanted.answer
        except asyncio.CancelledError:
            if wanted.reading is not None and not _waiting(wanted.reading.served):
                wanted.reading.task.cancel()
            raise
        return await self._read_alone(key, byte_range, etag) if answer is _ALONE else answer

    async def close(self) -> None:
        """Close the store below, once nothing is read from it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._store.close()

    def _start(self) -> None:
        """Begin to read what was asked for since the last time."""
        asked, self._wanted = self._wanted, {}
        for (key, etag), wanted in asked.items():
            for read in plan_reads([one.byte_range for one in wanted]):
                served = [one for one in wanted if _lies_in(one.byte_range, read)]
                if len(served) > 1:
                    self._run(key, etag, read, served)
                    continue
                for one in _waiting(served):
                    one.answer.set_result(_ALONE)

    def _run(self, key: str, etag: str | None, read: ByteRange, served: Sequence[_Wanted]) -> None:
        reading = self._read(key, etag, read, served)
        task = asyncio.get_running_loop().create_task(reading, context=served[0].context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        for one in served:
            one.reading = _Reading(task, served)

    async def _read_alone(self, key: str, byte_range: ByteRange, etag: str | None) -> Blob | None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            return await self._store.get_range(key, byte_range, etag=etag)
        finally:
            self._tasks.discard(task)

    async def _read(self, key: str, etag: str | None, read: ByteRange, served: Sequence[_Wanted]) -> None:
        try:
            blob = await self._store.get_range(key, read, etag=etag)
        except FormatError:  # one of them lies beyond the end of the object; the others need not suffer
            for one in _waiting(served):
                one.answer.set_result(_ALONE)
        except asyncio.CancelledError:
            for one in served:
                one.answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - handed on to those who wait, whatever it is
            for one in _waiting(served):
                one.answer.set_exception(error)
        else:
            for one in _waiting(served):
                one.answer.set_result(_part(blob, read, one.byte_range))


def _lies_in(inner: ByteRange, outer: ByteRange) -> bool:
    return outer.start <= inner.start and inner.stop <= outer.stop


def _waiting(served: Sequence[_Wanted]) -> list[_Wanted]:
    """Who has neither been answered nor left."""
    return [one for one in served if not one.answer.done()]


def _part(blob: Blob | None, read: ByteRange, wanted: ByteRange) -> Blob | None:
    if blob is None or read == wanted:
        return blob
    return Blob(blob.data[wanted.start - read.start : wanted.stop - read.start], blob.etag)
