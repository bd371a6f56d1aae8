"""Applies a batch of changes in small transactions, and keeps database and log within the budget."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
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
_TRIES: Final = 3
"""How often to empty the log when other processes fill it at once."""
_CHECKPOINT_BYTES: Final = 16 * 2**20
"""Size of the log from which on it is copied into the database and emptied."""


class LogFullError(sqlite3.OperationalError):
    """The log cannot be emptied because somebody keeps reading an old state of the database."""

    sqlite_errorcode = sqlite3.SQLITE_BUSY


class IndexDamagedError(sqlite3.DatabaseError):
    """An index of the database does not agree with its table."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


class _Room(Enum):
    """Whether there is room for entries."""

    ENOUGH = "enough"
    NOT_YET = "not yet"
    """Some entries were evicted, and more can be."""
    NONE = "none"


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
            with self._transaction():
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
        with self._transaction():
            ids = entries.ids_of_object(self._connection, digest, until=at, most=_MOST_ROWS)
            self._delete(ids)
        return len(ids) == _MOST_ROWS

    def _insert(self, piece: Sequence[Entry]) -> bool:
        """Write entries if there is room for them now; return False if there may be room the next time."""
        needed = sum(map(entries.pages_of, piece)) + _SLACK_PAGES
        with self._transaction():
            room = self._make_room(needed)
            if room is _Room.ENOUGH:
                for entry in piece:
                    if entries.insert(self._connection, entry, now=self._now):
                        self._report.written += len(entry.data)
        if room is _Room.NONE:
            self._report.dropped += len(piece)
        return room is not _Room.NOT_YET

    def _make_room(self, needed: int) -> "_Room":
        """Evict entries until *needed* pages are free, but not too many in one transaction."""
        if self._free_pages() < needed and self._database.place.set_aside_bytes():
            self._database.place.drop_set_aside()
            self._most_pages = self._database.limit_pages(self._connection)
        for _ in range(_MOST_ROWS // _STEP_ROWS):
            if self._free_pages() >= needed:
                return _Room.ENOUGH
            ids = entries.least_used(self._connection, _STEP_ROWS)
            if not ids:
                return _Room.NONE
            self._delete(ids)
            self._report.evictions += len(ids)
        return _Room.NOT_YET

    def _delete(self, ids: Sequence[int]) -> None:
        if entries.delete(self._connection, ids) != len(ids):
            raise IndexDamagedError("an index names entries that are not there")

    def _free_pages(self) -> int:
        return entries.free_pages(self._connection, self._most_pages)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Do everything within or nothing; while this lasts, nobody else adds to the log.

        Raises:
            LogFullError: The log cannot be emptied now.
            sqlite3.Error: The database failed; nothing was done.
        """
        for _ in range(_TRIES):
            self._empty_log()
            with entries.transaction(self._connection):
                if self._database.wal_bytes() <= self._wal_limit // 2:
                    yield
                    return
        raise LogFullError("its log cannot be emptied while another process reads")

    def _empty_log(self) -> None:
        """Copy the log into the database once it is large."""
        if self._database.wal_bytes() > min(_CHECKPOINT_BYTES, self._wal_limit // 4):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

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
