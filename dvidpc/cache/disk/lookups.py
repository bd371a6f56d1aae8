"""Reads batches of entries in threads, each with a connection of its own."""

import sqlite3
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from dvidpc.cache.disk.database import DATABASE_ERRORS, Database
from dvidpc.cache.disk.entries import DamagedEntryError, Found, find


@dataclass(slots=True)
class Batch:
    """What a batch of lookups came to."""

    found: dict[bytes, Found] = field(default_factory=dict)
    """By name; what is not in it is not on disk, or could not be read."""
    damaged: list[bytes] = field(default_factory=list)
    is_moved: bool = False
    """Whether somebody has deleted or moved the database: nothing was read."""
    error: sqlite3.Error | UnicodeDecodeError | TimeoutError | None = None
    """Why not all could be read; None if all were."""


class _Connection:
    """The connection of one thread; the lock is held while it is used or closed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.database: Database | None = None
        self.connection: sqlite3.Connection | None = None

    def to(self, database: Database) -> sqlite3.Connection:
        if self.connection is None or self.database is not database:
            self.close()
            self.connection, self.database = database.connect(), database
        return self.connection

    def close(self) -> None:
        if self.connection is not None and self.database is not None:
            self.database.close(self.connection)
        self.connection = self.database = None


class Lookups:
    """Reads from the database that is in use; any thread may call it.

    Args:
        database: Returns the database; None while there is none.
    """

    def __init__(self, database: Callable[[], Database | None]) -> None:
        self._database = database
        self._local = threading.local()
        self.connections: list[_Connection] = []

    def find_all(self, names: Iterable[bytes]) -> Batch:
        """Read entries by name; never raises."""
        batch = Batch()
        mine = self._connection()
        with mine.lock:
            try:
                database = self._database()
                if database is None:
                    return batch
                batch.is_moved = not database.is_in_place()
                if not batch.is_moved:
                    _find_all(mine.to(database), names, batch)
            except DATABASE_ERRORS as error:
                batch.error = error
        return batch

    def close(self) -> None:
        """Close all connections; threads open new ones when they read again."""
        for one in list(self.connections):
            with one.lock:
                one.close()

    def _connection(self) -> _Connection:
        mine: _Connection | None = getattr(self._local, "connection", None)
        if mine is None:
            mine = self._local.connection = _Connection()
            self.connections.append(mine)
        return mine


def _find_all(connection: sqlite3.Connection, names: Iterable[bytes], batch: Batch) -> None:
    for name in names:
        try:
            found = find(connection, name)
        except DamagedEntryError:
            batch.damaged.append(name)
        else:
            if found is not None:
                batch.found[name] = found
