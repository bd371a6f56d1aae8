"""Read chunks through the disk cache, in an order in which the reads of the bucket can be joined."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from dvidpc.errors import DvidpcError, FormatError, StoreError, StoreRefusedError
from dvidpc.formats.grid import Box
from dvidpc.sources.base import ChunkSource, StoredChunk
from dvidpc.storage.retry.retrying_store import BreakerOpenError
from dvidpc.tasks import gather_or_cancel, in_order
from dvidpc.types import ChunkCoord
from dvidpc.volume.omission import may_pass
from dvidpc.warm.backlog import Backlog
from dvidpc.warm.metered_stores import READING, Reading
from dvidpc.warm.outcome import Outcome

BATCH: Final = 256
"""Chunks that are located together and then read together: neighbours of one shard become one read."""
BATCHES: Final = 2
"""Batches at a time: one is located while another is read."""
HELD_BYTES: Final = 16 * 2**20
"""Bytes of chunks of a batch that are read at a time."""
TRIES: Final = 3
"""How often a chunk is read that fails while the bucket answers."""
MOST_REFUSALS: Final = 64
"""Refused chunks in a row after which the bucket is taken to refuse all."""
DOWN_S: Final = 600.0
"""How long a bucket may be down before the prefetch ends."""
_FIRST_PAUSE_S: Final = 2.0
_LONGEST_PAUSE_S: Final = 30.0


class _Located(NamedTuple):
    cell: ChunkCoord
    stored: StoredChunk

    @property
    def place(self) -> tuple[str, int]:
        """Where it lies, to sort by."""
        return self.stored.url, 0 if self.stored.where is None else self.stored.where.start


class _Failure(NamedTuple):
    cell: ChunkCoord
    error: DvidpcError


@dataclass(slots=True)
class Filler:
    """Reads targets, and waits for a bucket that is down.

    Args:
        outcome: What is counted.
        probe: Reads the metadata from the bucket, which raises a StoreError while it is down.
        check: Called after each batch; raises what ends the prefetch.
        backlog: Waits for the disk.
        largest: The most bytes of a chunk that the disk cache keeps.
        sleep: Waits for so many seconds.
        clock: Seconds, monotonic.
    """

    outcome: Outcome
    probe: Callable[[], Awaitable[object]]
    check: Callable[[], Awaitable[None]]
    backlog: Backlog
    largest: int
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic
    sampled: set[tuple[str, ChunkCoord]] = field(default_factory=set)
    """Chunks that were read from the bucket as a sample, and are counted when their turn comes."""
    _refusals: int = 0
    _usual: float = 0.0
    """Bytes of the chunks read lately, on average; those of further ones are not always known beforehand."""
    _read_so_far: int = 0

    async def fill(self, copies: Sequence[ChunkSource], cells: Iterable[ChunkCoord]) -> None:
        """Read *cells* of the first of *copies*, and from the others what that one does not store.

        Raises:
            StoreError: The bucket refuses everything, or was down for too long.
        """
        waiting = iter(cells)
        batches: Iterator[list[ChunkCoord]] = iter(lambda: list(islice(waiting, BATCH)), [])
        work = (self._fill_batch(copies, batch) for batch in batches)
        async with aclosing(in_order(work, BATCHES)) as done:
            async for _ in done:
                await self.check()

    async def read_one(self, copies: Sequence[ChunkSource], cell: ChunkCoord) -> int:
        """Return the bytes of one chunk as stored, 0 if it is not stored; read it only if nothing else says.

        Raises:
            FormatError: An index, or the chunk, is damaged.
            StoreError: The bucket failed.
        """
        source = copies[0]
        stored = await source.locate(cell)
        if stored is None or stored.where is not None:
            return 0 if stored is None or stored.where is None else stored.where.size
        reading = Reading()
        READING.set(reading)
        await source.read(cell)
        if reading.asked > 1:
            self.sampled.add((source.identity, cell))
        if reading.given:
            self._note_size(reading.given)
        return reading.given

    async def _fill_batch(self, copies: Sequence[ChunkSource], cells: Sequence[ChunkCoord]) -> None:
        tries: Counter[ChunkCoord] = Counter()
        while failures := await self._read_batch(copies, cells):
            tries.update(one.cell for one in failures if not isinstance(one.error, BreakerOpenError))
            cells = []
            for one in failures:
                if may_pass(one.error) and tries[one.cell] < TRIES:
                    cells.append(one.cell)
                else:
                    self._note_failed(copies[0], one)
            if cells:
                await self._wait_for_bucket(max(tries.values(), default=1))

    async def _read_batch(self, copies: Sequence[ChunkSource], cells: Sequence[ChunkCoord]) -> list[_Failure]:
        """Read chunks; return those that failed."""
        found = await gather_or_cancel(self._locate(copies, cell) for cell in cells)
        failures = [one for one in found if isinstance(one, _Failure)]
        located = sorted((one for one in found if isinstance(one, _Located)), key=lambda one: one.place)
        for part in self._parts(located):
            failures += await self._read_part(copies, part)
        return failures

    async def _read_part(self, copies: Sequence[ChunkSource], part: Sequence[_Located]) -> list[_Failure]:
        nbytes = sum(map(self._size_of, part))
        await self.backlog.begin(nbytes)
        queued = 0
        try:
            results = await gather_or_cancel(self._read(copies, one) for one in part)
            queued = sum(one for one in results if isinstance(one, int))
        finally:
            self.backlog.end(nbytes, queued)
        return [one for one in results if isinstance(one, _Failure)]

    async def _locate(self, copies: Sequence[ChunkSource], cell: ChunkCoord) -> _Located | _Failure | None:
        """Return where a chunk lies; None if it is known not to be stored, and what stands for it is read."""
        try:
            stored = await copies[0].locate(cell)
            if stored is not None:
                return _Located(cell, stored)
            await self._note_absent(copies, cell)
        except DvidpcError as error:
            return _Failure(cell, error)
        return None

    def _parts(self, located: Sequence[_Located]) -> Iterator[list[_Located]]:
        """Yield chunks in parts that hold few enough bytes to be in memory at a time."""
        part: list[_Located] = []
        held = 0
        for one in located:
            nbytes = self._size_of(one)
            if part and held + nbytes > HELD_BYTES:
                yield part
                part, held = [], 0
            part.append(one)
            held += nbytes
        if part:
            yield part

    def _size_of(self, one: _Located) -> int:
        """Return the bytes of a chunk as stored; a guess where they are not known before it is read."""
        return int(self._usual) if one.stored.where is None else one.stored.where.size

    def _note_size(self, nbytes: int) -> None:
        """Take the size of a chunk into the average of the last ones."""
        self._read_so_far += 1
        self._usual += (nbytes - self._usual) / min(self._read_so_far, 64)

    async def _read(self, copies: Sequence[ChunkSource], one: _Located) -> _Failure | int:
        """Read a chunk and count it; return the bytes that the bucket was asked for, or why it failed."""
        source, reading = copies[0], Reading()
        READING.set(reading)
        try:
            if await source.read(one.cell) is None:
                await self._note_absent(copies, one.cell)
                return 0
        except DvidpcError as error:
            return _Failure(one.cell, error)
        self._refusals = 0
        self._note_size(reading.given)
        if reading.given > self.largest:
            self.outcome.oversize += 1
            return 0
        was_sampled = (source.identity, one.cell) in self.sampled
        self.outcome.note_stored(reading.given, is_fetched=reading.asked > 1 or was_sampled)
        return reading.asked

    async def _note_absent(self, copies: Sequence[ChunkSource], cell: ChunkCoord) -> None:
        """Count a chunk that is not stored; read what other copies store of its voxels.

        Raises:
            FormatError: What they store is damaged.
            StoreError: The bucket failed.
        """
        self._refusals = 0
        nbytes = await _read_others(copies[1:], copies[0].grid.chunk_box(cell))
        if nbytes is None:
            self.outcome.absent += 1
        else:
            self.outcome.note_stored(nbytes.given, is_fetched=nbytes.asked > 1)

    def _note_failed(self, source: ChunkSource, failure: _Failure) -> None:
        error = failure.error
        self.outcome.note_failed(_explain(source, failure))
        self._refusals = self._refusals + 1 if isinstance(error, StoreRefusedError) else 0
        if self._refusals >= MOST_REFUSALS:
            raise StoreRefusedError(f"the bucket refuses every chunk: {error}")

    async def _wait_for_bucket(self, tries: int) -> None:
        """Wait until the bucket gives the metadata again; longer if chunks have failed before.

        Raises:
            StoreError: It refuses them, or was down for `DOWN_S`.
        """
        since, pause = self.clock(), tries * _FIRST_PAUSE_S
        while True:
            await self.sleep(pause)
            try:
                await self.probe()
            except StoreRefusedError:
                raise
            except StoreError as error:
                if self.clock() - since > DOWN_S:
                    raise StoreError(
                        f"the bucket has been down for {DOWN_S / 60:g} minutes: {error}"
                    ) from error
            else:
                return
            pause = min(_LONGEST_PAUSE_S, 2 * pause)


async def _read_others(copies: Sequence[ChunkSource], box: Box) -> Reading | None:
    """Read what the first of *copies* stores of a box, and its holes from the others; None if nothing."""
    if not copies:
        return None
    reading = Reading()
    READING.set(reading)
    found = None
    for cell in copies[0].grid.chunks_touching(box):
        if await copies[0].read(cell) is not None:
            found = reading
        else:
            other = await _read_others(copies[1:], copies[0].grid.chunk_box(cell).intersection(box))
            READING.set(reading)
            if other is not None:
                reading.given += other.given
                reading.asked += other.asked
                found = reading
    return found


def _explain(source: ChunkSource, failure: _Failure) -> str:
    """Return why a chunk could not be read, with its name."""
    text = str(failure.error)
    return text if isinstance(failure.error, FormatError) else f"{source.describe(failure.cell)}: {text}"
