"""The disk cache as the event loop sees it: looks up and writes in threads, in batches."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from dvidpc.cache.disk.applying import Report
from dvidpc.cache.disk.cached_store import CachedStore
from dvidpc.cache.disk.database import Trouble, trouble_of
from dvidpc.cache.disk.disk_place import Place
from dvidpc.cache.disk.disk_writer import DiskWriter
from dvidpc.cache.disk.entries import Entry, Found, found_of
from dvidpc.cache.disk.lookup_queue import LookupQueue
from dvidpc.cache.disk.lookups import Batch, Lookups
from dvidpc.cache.disk.pending import Pending
from dvidpc.log.quantities import describe_size
from dvidpc.storage.base import ObjectStore
from dvidpc.tasks import abandon, keep_running
from dvidpc.threads import ThreadPool

log = logging.getLogger(__name__)

_MOST_BYTES: Final = 64 * 2**20
"""The largest value that is written, if it is no more than a hundredth of the budget."""
_QUEUE_BYTES: Final = 64 * 2**20
"""Bytes that wait to be written; what comes on top is dropped."""
_TEND_S: Final = 10.0
"""How often the database is looked at while nothing is written."""
_WRITE_DELAY_S: Final = 0.1
"""How long to collect what is written in one batch."""
_OPEN_S: Final = 5.0
"""How long the start waits for the disk."""
_CLOSE_S: Final = 2.0
_USE_S: Final = 600.0
"""How old the time of the last use may be before it is written again, while there is room for more."""


@dataclass(slots=True)
class DiskCounts:
    """What the disk cache of this process has done since it was made."""

    hits: int = 0
    """Reads that the disk answered."""
    misses: int = 0
    stale: int = 0
    """Reads answered with what may have been replaced, because the bucket was down."""
    compared: int = 0
    """Comparisons by a one-byte read that found the object unchanged."""
    bytes_read: int = 0
    bytes_written: int = 0
    evictions: int = 0
    errors: int = 0
    """Reads and writes that failed, and damaged entries."""
    dropped: int = 0
    """Values that were not written because the disk failed or was too slow."""


class DiskCache:
    """Keeps what is read from buckets in a directory, shared by processes. Nothing here raises into a read.

    For use on one event loop.

    Args:
        path: A directory on a local disk.
        max_bytes: The budget; at least 64 MiB.
        clock: Seconds since the epoch.
    """

    def __init__(self, path: Path, max_bytes: int, *, clock: Callable[[], float] = time.time) -> None:
        self.max_bytes = max_bytes
        self.largest: Final = min(_MOST_BYTES, max_bytes // 100)
        """The most bytes of a value that is written."""
        self.clock = clock
        self._path = path
        self.counts = DiskCounts()
        self.nbytes = 0
        """Bytes on disk as of the last write, of all processes."""
        self.entries = 0
        """Likewise, the number of entries."""
        self.lookups = Lookups(lambda: self._writer.database)
        self._writer = DiskWriter(Place(path), max_bytes, clock, self.lookups.close)
        self._queue = LookupQueue(self.lookups, self._note_lookups)
        self._writers = ThreadPool(1, thread_name_prefix="disk-write")
        self._tending: asyncio.Task[None] | None = None
        self._is_closing = False
        self._pending = Pending()
        self._in_hand = Pending()
        """What is being written now."""
        self._is_damaged = False
        self._has_work = asyncio.Event()
        self._hurry = asyncio.Event()
        self._flushes: list[asyncio.Future[None]] = []
        self._unused_s = _USE_S

    @property
    def trouble(self) -> str | None:
        """Why nothing is written now, or why the disk is not used at all; None if all is well."""
        return self._writer.trouble

    async def open(self) -> None:
        """Open the database, or make one. If it cannot be used, that is logged, and tried again later."""
        self._tending = keep_running("disk cache", self._tend)
        try:
            async with asyncio.timeout(_OPEN_S):
                await self.flush()
        except TimeoutError:
            log.warning("disk cache at %s does not answer: it is not used until it does", self._path)
        else:
            if self.trouble is None:
                used, budget = describe_size(self.nbytes), describe_size(self.max_bytes)
                log.info("disk cache at %s: %s of %s used", self._path, used, budget)

    async def close(self) -> None:
        """Write what is queued, for at most two seconds, then close the database."""
        if self._tending is None or self._is_closing:
            return
        self._is_closing = True
        self._has_work.set()
        self._hurry.set()
        await asyncio.wait([self._tending], timeout=_CLOSE_S)
        await abandon([self._tending])
        _end_all(self._flushes)
        self._queue.close()
        closing = asyncio.get_running_loop().run_in_executor(self._writers, self._writer.close)
        await asyncio.wait([closing], timeout=_CLOSE_S)
        self._writers.shutdown(wait=False)

    async def flush(self) -> None:
        """Wait until what is queued now is on disk, or was dropped."""
        if self._is_closing or self._tending is None:
            return
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._flushes.append(written)
        self._has_work.set()
        self._hurry.set()
        await written

    def wrap(self, store: ObjectStore) -> ObjectStore:
        """Return a store that reads from *store* what is not on disk."""
        return CachedStore(store, self)

    async def look_up(self, name: bytes) -> Found | None:
        """Return an entry; None if it is not on disk, or cannot be read in time."""
        waiting = self._pending.entries.get(name) or self._in_hand.entries.get(name)
        if waiting is not None:
            return found_of(waiting)
        if self._writer.database is None or self._is_closing:
            return None
        return await self._queue.find(name)

    def put(self, entry: Entry) -> None:
        """Write *entry* soon; it is dropped if it is too large, or if the disk fails or is too slow."""
        size = len(entry.data)
        if size > self.largest:
            return
        queued = self._pending.nbytes + self._in_hand.nbytes
        if self._is_closing or self._writer.is_pausing() or queued + size > _QUEUE_BYTES:
            self.counts.dropped += 1
            return
        self._pending.add(entry)
        self._has_work.set()

    def confirm(self, name: bytes, current: float) -> None:
        """Note that an entry is known to be the object's as of *current*."""
        self._pending.confirmed[name] = current

    def forget(self, digest: bytes, at: float) -> None:
        """Delete what was known of an object until *at*."""
        self._pending.forget(digest, at)
        self._has_work.set()

    def distrust(self, identity: str, since: float) -> None:
        """Note that the objects of a store may have been replaced before *since*."""
        self._pending.distrusted[identity] = since
        self._has_work.set()

    def _note_lookups(self, batch: Batch) -> None:
        """Note what a batch of lookups came to."""
        unused_before = self.clock() - self._unused_s
        self._pending.used.update(one.id for one in batch.found.values() if one.used < unused_before)
        for name in batch.damaged:
            self.counts.errors += 1
            self._pending.damaged.add(name)
            log.warning("damaged entry in the disk cache at %s: it is read from the bucket", self._path)
        if batch.is_moved:
            self._has_work.set()
        if isinstance(batch.error, TimeoutError):
            self.counts.errors += 1
            log.warning("disk cache at %s does not answer: it is not used until it does", self._path)
        elif (
            batch.error is not None and trouble_of(batch.error) is not Trouble.BUSY
        ):  # a crash is recovered from
            self.counts.errors += 1
            log.warning("disk cache at %s cannot be read: %s", self._path, batch.error)
            if trouble_of(batch.error) is Trouble.DAMAGED:
                self._is_damaged = True
                self._has_work.set()

    async def _tend(self) -> None:
        """Write what is queued, and look at the database from time to time."""
        while not self._is_closing:
            with suppress(TimeoutError):
                async with asyncio.timeout(_TEND_S):
                    await self._has_work.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(_WRITE_DELAY_S):
                    await self._hurry.wait()
            await self._write()
        if self._pending:  # came while the last batch was written
            await self._write()

    async def _write(self) -> None:
        self._has_work.clear()
        self._hurry.clear()
        flushes, self._flushes = self._flushes, []
        self._in_hand, self._pending = self._pending, Pending()
        is_damaged, self._is_damaged = self._is_damaged, False
        write = partial(self._writer.apply, self._in_hand, is_damaged=is_damaged)
        try:
            self._note(await asyncio.get_running_loop().run_in_executor(self._writers, write))
        finally:
            self._in_hand = Pending()
            _end_all(flushes)

    def _note(self, report: Report) -> None:
        counts = self.counts
        counts.bytes_written += report.written
        counts.evictions += report.evictions
        counts.dropped += report.dropped
        counts.errors += report.errors
        if report.is_measured:
            self.nbytes, self.entries = report.nbytes, report.entries
            age_s = self.clock() - report.oldest
            self._unused_s = max(age_s / 8, 1.0 if report.is_full else _USE_S)


def _end_all(flushes: list[asyncio.Future[None]]) -> None:
    for written in flushes:
        if not written.done():
            written.set_result(None)
