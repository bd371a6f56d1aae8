"""One SQLite database: its schema and settings, how it is opened, and what its errors mean.

Everything here blocks.
"""

import logging
import os
import sqlite3
from contextlib import closing
from enum import Enum
from typing import Final
from urllib.parse import quote

from dvidpc.cache.disk.disk_place import APPLICATION_ID, ForeignError, Place, size_of
from dvidpc.errors import FormatError

log = logging.getLogger(__name__)

FORMAT: Final = 1
"""Raise it whenever the schema or the meaning of a column changes: older caches are moved aside."""
PAGE_SIZE: Final = 16384

_PATIENCE_S: Final = 2.0
"""How long a statement waits for another connection."""
_LONGEST_VALUE: Final = 80 * 2**20
"""Bytes beyond which a damaged row is not even read."""

_SCHEMA: Final = """
BEGIN;
CREATE TABLE stores (
    id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, trusted_since REAL NOT NULL DEFAULT 0
);
CREATE TABLE entries (
    id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, store INTEGER NOT NULL, version BLOB NOT NULL,
    is_gzip INTEGER NOT NULL, checksum BLOB NOT NULL, size INTEGER NOT NULL, current REAL NOT NULL,
    used REAL NOT NULL
);
CREATE INDEX entries_by_use ON entries (used);
CREATE TABLE contents (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE totals (entries INTEGER NOT NULL, budget INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0);
COMMIT;
"""
"""An entry without its bytes is a short row, so that counting and evicting read few pages."""


class UnreadableError(FormatError):
    """The database is damaged or has another format; the message says which."""


class Trouble(Enum):
    """What kind of failure an error of SQLite is."""

    DAMAGED = "damaged"
    FULL = "full"
    """The disk is, or the database at its own limit."""
    BUSY = "busy"
    UNWRITABLE = "unwritable"
    """The disk fails, or the file system cannot be written to."""


_TROUBLES: Final = {
    sqlite3.SQLITE_CORRUPT: Trouble.DAMAGED,
    sqlite3.SQLITE_NOTADB: Trouble.DAMAGED,
    sqlite3.SQLITE_ERROR: Trouble.DAMAGED,  # such as a table that is missing: our statements are correct
    sqlite3.SQLITE_TOOBIG: Trouble.DAMAGED,
    sqlite3.SQLITE_MISMATCH: Trouble.DAMAGED,
    sqlite3.SQLITE_CONSTRAINT: Trouble.DAMAGED,
    sqlite3.SQLITE_SCHEMA: Trouble.DAMAGED,
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_BUSY: Trouble.BUSY,
    sqlite3.SQLITE_LOCKED: Trouble.BUSY,
    sqlite3.SQLITE_PROTOCOL: Trouble.BUSY,
}


DATABASE_ERRORS: Final = (sqlite3.Error, UnicodeDecodeError)
"""What a statement may raise; the latter if SQLite's message repeats a damaged name."""


def trouble_of(error: sqlite3.Error | UnicodeDecodeError) -> Trouble:
    """Return what kind of failure *error* is."""
    if isinstance(error, UnicodeDecodeError):
        return Trouble.DAMAGED
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_IOERR)
    return _TROUBLES.get(code & 0xFF, Trouble.UNWRITABLE)


def wal_limit(max_bytes: int) -> int:
    """Return the bytes of the budget that are kept for the write-ahead log and its index."""
    return min(256 * 2**20, max(8 * 2**20, max_bytes // 32))


_LEFT_OPEN: Final[list[sqlite3.Connection]] = []
"""Connections that cannot be closed without writing to the index of the log."""


class Database:
    """The open database, as one process sees it; makes connections for its threads."""

    def __init__(self, place: Place, max_bytes: int) -> None:
        self.place = place
        self.max_bytes = max_bytes
        self._file = place.file
        found = self._file.stat()
        self._inode = found.st_dev, found.st_ino

    def connect(self) -> sqlite3.Connection:
        """Open a connection for one thread; another thread may close it.

        Raises:
            sqlite3.Error: It cannot be opened.
        """
        connection = connect(self.place)
        try:
            self.limit_pages(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def is_in_place(self) -> bool:
        """Return whether the database is still where it was opened: not deleted, moved or emptied."""
        try:
            found = self._file.stat()
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._inode and found.st_size > 0

    def is_read_only(self) -> bool:
        """Return whether the file system takes no writes any more, as after an error of its disk.

        Then the database must not even be read: SQLite writes to the index of its log, a file that is mapped
        into memory, and where that fails the process gets SIGBUS.
        """
        try:
            os.utime(self.place.log_index)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False

    def close(self, connection: sqlite3.Connection) -> None:
        """Close a connection to the database; leave it open while the file system is read-only."""
        if self.is_read_only():
            _LEFT_OPEN.append(connection)
        else:
            connection.close()

    def limit_pages(self, connection: sqlite3.Connection) -> int:
        """Bound the database so that log and caches set aside have room beside it; return the bound."""
        beside = wal_limit(self.max_bytes) + self.place.set_aside_bytes()
        pages = max(1, (self.max_bytes - beside) // PAGE_SIZE)
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return pages

    def find_log(self) -> tuple[int, int]:
        """Return what tells the log and its index from others of the same names.

        Raises:
            OSError: They are not there. As long as a connection is open, somebody else has deleted them.
        """
        return self.place.wal.stat().st_ino, self.place.log_index.stat().st_ino

    def wal_bytes(self) -> int:
        """Return the size of the write-ahead log."""
        return size_of(self.place.wal)


def open_database(place: Place, max_bytes: int) -> Database:
    """Open the database, or make an empty one. What cannot be used is moved aside, with a line in the log.

    Raises:
        UnusableError: The directory cannot be used.
        OSError: Likewise.
        sqlite3.Error: Likewise.
    """
    place.make_root()
    with place.locked():
        try:
            return _open(place, max_bytes)
        except ForeignError as error:
            moved = place.move_foreign()
            log.warning("disk cache starts empty: %s; it is kept as %s", error, moved)
        except UnreadableError as error:
            moved = place.move_aside()
            log.warning("disk cache starts empty: %s; it is kept as %s while there is room", error, moved)
        return _open(place, max_bytes)


def _open(place: Place, max_bytes: int) -> Database:
    place.claim()
    if size_of(place.file) > max_bytes - wal_limit(max_bytes):
        log.warning("disk cache starts empty: %s is larger than the budget allows now", place.file)
        place.delete()
        place.claim()
    database = Database(place, max_bytes)
    try:
        with closing(database.connect()) as connection:
            _make_tables(connection)
            check_format(connection, place)
            connection.execute("UPDATE totals SET budget = ? WHERE budget != ?", (max_bytes, max_bytes))
    except DATABASE_ERRORS as error:
        if trouble_of(error) is not Trouble.DAMAGED:
            raise
        raise UnreadableError(f"{place.file} is damaged: {error}") from error
    while _LEFT_OPEN:  # the file system takes writes again
        _LEFT_OPEN.pop().close()
    return database


def connect(place: Place) -> sqlite3.Connection:
    """Open a connection to the database, whose size is not bounded.

    Raises:
        sqlite3.Error: It cannot be opened.
    """
    connection = sqlite3.connect(
        f"file:{quote(str(place.file))}?mode=rw",
        uri=True,
        timeout=_PATIENCE_S,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        _set_up(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: sqlite3.Connection) -> None:
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
    connection.text_factory = bytes
    for setting in (
        f"page_size = {PAGE_SIZE}",  # has an effect on a new file only
        "journal_mode = WAL",
        "synchronous = NORMAL",  # survives kill -9; a power cut may cost the last writes
        "wal_autocheckpoint = 0",  # the writer does it, so that readers never wait for it
        "cache_size = -2048",
        "mmap_size = 0",  # a disk that fails is an error, not a SIGBUS
        "secure_delete = OFF",
        "cell_size_check = ON",
        "trusted_schema = OFF",
    ):
        connection.execute(f"PRAGMA {setting}").fetchall()


def check_format(connection: sqlite3.Connection, place: Place) -> None:
    """Check that the database is ours and of this format.

    Raises:
        ForeignError: Another program has made it.
        UnreadableError: It has another format.
        sqlite3.Error: It cannot be read.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise ForeignError(f"{place.file} is a database of another program")
    if found != FORMAT:
        raise UnreadableError(f"{place.file} has format {found}, not {FORMAT}")


def _make_tables(connection: sqlite3.Connection) -> None:
    """Make the tables if the database is empty."""
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if not tables:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.executescript(_SCHEMA)


def describe(error: Exception) -> str:
    """Return what an operator should read of a failure."""
    if isinstance(error, OSError):
        return f"{error.filename}: {os.strerror(error.errno or 0)}" if error.filename else str(error)
    return str(error)
