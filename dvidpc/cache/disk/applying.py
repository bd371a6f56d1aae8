"""Applies a batch of changes in small transactions, and keeps database and log within the budget."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final, TypeVar

from dvidpc.cache.disk import entries
from dvidpc.cache.disk.database import PAGE_SIZE, Database, wal_limit
from dvidpc.cache.disk.entries import Entry
from dvidpc.cache.disk.pending import Pending

T = TypeVar("T")

_MOST_ROWS: Final = 64
"""Entries written, changed or evicted in one transaction, so that the log stays small."""
_STEP_ROWS: Final = 8
"""Entries evicted before the free pages are counted again."""
_SLACK_PAGES: Final = 32
"""Pages beside those of the entries, such as new levels of an index."""
_CHECKPOINT_BYTES: Final = 16 * 2**20
"""Size of the log from which on it is copied into the database and emptied."""


class LogFullError(sqlite3.OperationalError):
    """The log cannot be emptied because somebody keeps reading an old state of the database."""

    sqlite_errorcode = sqlite3.SQLITE_BUSY


@dataclass(slots=True)
class Report:
    """What a batch of changes came to."""

    written: int = 0
    """Bytes."""
    evictions: int = 0
    dropped: int = 0
    """Entries that could not be written."""
    errors: int = 0
    is_measured: bool = False
    """Whether what follows is known."""
    nbytes: int = 0
    """Bytes of the database that are in use."""
    entries: int = 0
    oldest: float = 0.0
    """When the least recently used entry was used."""
    is_full: bool = False
    """Whether entries are evicted to make room for others."""


class Applying:
    """Applies changes over one connection.

    Args:
        database: What the connection is to.
        connection: Used by nobody else.
        report: Counts what is done.
        now: Seconds since the epoch.
    """

    def __init__(
        self, database: Database, connection: sqlite3.Connection, report: Report, now: float
    ) -> None:
        self._database = database
        self._connection = connection
        self._report = report
        self._now = now
        self._wal_limit = wal_limit(database.max_bytes)
        self._most_pages = database.limit_pages(connection)

    def apply(self, pending: Pending) -> None:
        """Apply *pending*; entries that are written are removed from it.

        Raises:
            sqlite3.Error: The database failed; what was not done is not done.
        """
        for digest, at in pending.forgotten.items():
            while self._forget(digest, at):
                pass
        for changes in _pieces(self._small_changes(pending)):
            self._empty_log()
            with entries.transaction(self._connection):
                for change in changes:
                    change(self._connection)
        for piece in _pieces_of_bytes(pending.entries.values(), self._wal_limit // 8):
            while not self._insert(piece):
                pass
            for entry in piece:
                del pending.entries[entry.name]
        self._measure()

    def _small_changes(self, pending: Pending) -> Iterator[Callable[[sqlite3.Connection], None]]:
        for identity, since in pending.distrusted.items():
            yield partial(entries.distrust, identity=identity, since=since)
        for name in pending.damaged:
            yield partial(entries.delete_named, name=name)
        for name, current in pending.confirmed.items():
            yield partial(entries.confirm, name=name, current=current)
        for number in sorted(pending.used):
            yield partial(entries.touch, number=number, now=self._now)

    def _forget(self, digest: bytes, at: float) -> bool:
        """Delete some entries of an object; return whether there may be more."""
        self._empty_log()
        with entries.transaction(self._connection):
            ids = entries.ids_of_object(self._connection, digest, until=at, most=_MOST_ROWS)
            entries.delete(self._connection, ids)
        return len(ids) == _MOST_ROWS

    def _insert(self, piece: Sequence[Entry]) -> bool:
        """Write entries if there is room for them now; return False if there may be room the next time."""
        self._empty_log()
        connection = self._connection
        needed = sum(map(entries.pages_of, piece)) + _SLACK_PAGES
        with entries.transaction(connection):
            has_room, can_evict = self._make_room(needed)
            if has_room:
                for entry in piece:
                    if entries.insert(connection, entry, now=self._now):
                        self._report.written += len(entry.data)
        return has_room or not can_evict

    def _make_room(self, needed: int) -> tuple[bool, bool]:
        """Evict entries until *needed* pages are free, but not too many.

        Returns:
            Whether they are free, and whether more can be evicted.
        """
        connection = self._connection
        if self._free_pages() < needed and self._database.place.set_aside_bytes():
            self._database.place.drop_set_aside()
            self._most_pages = self._database.limit_pages(connection)
        for _ in range(_MOST_ROWS // _STEP_ROWS):
            if self._free_pages() >= needed:
                return True, True
            ids = entries.least_used(connection, _STEP_ROWS)
            if not ids:
                return False, False
            entries.delete(connection, ids)
            self._report.evictions += len(ids)
        return self._free_pages() >= needed, True

    def _free_pages(self) -> int:
        return entries.free_pages(self._connection, self._most_pages)

    def _empty_log(self) -> None:
        """Copy the log into the database once it is large.

        Raises:
            LogFullError: It is too large to go on, and cannot be emptied now.
        """
        if self._database.wal_bytes() < min(_CHECKPOINT_BYTES, self._wal_limit // 4):
            return
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if self._database.wal_bytes() > self._wal_limit // 2:
            raise LogFullError("its log cannot be emptied while another process reads")

    def _measure(self) -> None:
        report, free = self._report, self._free_pages()
        report.is_measured = True
        report.nbytes = max(0, self._most_pages - free) * PAGE_SIZE
        report.entries = entries.count(self._connection)
        report.oldest = entries.oldest_use(self._connection, default=self._now)
        report.is_full = free < self._most_pages // 8


def _pieces(whole: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(whole)
    while piece := list(islice(rest, _MOST_ROWS)):
        yield piece


def _pieces_of_bytes(whole: Iterable[Entry], most: int) -> Iterator[list[Entry]]:
    """Divide *whole* into pieces of at most *most* bytes; a larger entry is a piece of its own."""
    for some in _pieces(list(whole)):
        piece: list[Entry] = []
        for entry in some:
            if piece and sum(len(one.data) for one in (*piece, entry)) > most:
                yield piece
                piece = []
            piece.append(entry)
        yield piece
