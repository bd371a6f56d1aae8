"""Embedded engines that a disk cache could stand on, behind one small interface.

Each is set up as a cache would use it: `kill -9` must not damage it, a power cut may lose what was written
last. Every method blocks. Several threads may call them at once.
"""

import functools
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import diskcache
import lmdb
import rocksdict

Items = Sequence[tuple[bytes, bytes]]
"""Names of 16 bytes, and values."""


class Engine(Protocol):
    """A store of named values in a directory."""

    def get(self, name: bytes) -> bytes | None:
        """Return the value; None if there is none of this name."""

    def replace(self, old: Sequence[bytes], items: Items) -> None:
        """Delete *old* and write *items*, in one transaction if the engine has such."""

    def close(self) -> None:
        """Write what is held in memory."""


class Sqlite:
    """SQLite alone: one database, values in rows, a write-ahead log, no memory mapping."""

    def __init__(self, directory: Path, _limit: int, *, page_bytes: int) -> None:
        directory.mkdir(exist_ok=True)
        self._path = directory / "cache.sqlite"
        self._page_bytes = page_bytes
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._connection().execute(
            "CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, name BLOB UNIQUE, value BLOB)"
        )

    def _connection(self) -> sqlite3.Connection:
        """Return this thread's connection."""
        known: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if known is not None:
            return known
        made = sqlite3.connect(self._path, timeout=30, isolation_level=None, check_same_thread=False)
        for setting in (
            f"page_size = {self._page_bytes}",
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "cache_size = -4096",
            "wal_autocheckpoint = 250",
        ):
            made.execute(f"PRAGMA {setting}")
        self._local.connection = made
        self._opened.append(made)
        return made

    def get(self, name: bytes) -> bytes | None:
        """Return the value; None if there is none of this name."""
        row = self._connection().execute("SELECT value FROM entries WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def replace(self, old: Sequence[bytes], items: Items) -> None:
        """Delete *old* and write *items* in one transaction, which a failure undoes."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("DELETE FROM entries WHERE name = ?", [(name,) for name in old])
            connection.executemany("INSERT OR REPLACE INTO entries (name, value) VALUES (?, ?)", items)

    def close(self) -> None:
        """Close the connections; the last one empties the log into the database."""
        for connection in self._opened:
            connection.close()


class Lmdb:
    """LMDB: a memory-mapped tree. It does not wait for the disk after each commit, as none of them does."""

    def __init__(self, directory: Path, limit: int) -> None:
        self._environment = lmdb.open(str(directory), map_size=limit, sync=False, readahead=False)

    def get(self, name: bytes) -> bytes | None:
        """Return a copy of the value; None if there is none of this name."""
        with self._environment.begin() as transaction:
            value: bytes | None = transaction.get(name)
            return value

    def replace(self, old: Sequence[bytes], items: Items) -> None:
        """Delete *old* and write *items* in one transaction."""
        with self._environment.begin(write=True) as transaction:
            for name in old:
                transaction.delete(name)
            for name, value in items:
                transaction.put(name, value)

    def close(self) -> None:
        """Write the pages to the disk."""
        self._environment.sync(True)
        self._environment.close()


class Rocks:
    """RocksDB: values in blob files that are cleared of what was deleted; nothing is compressed."""

    def __init__(self, directory: Path, _limit: int) -> None:
        options = rocksdict.Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_enable_blob_files(True)
        options.set_min_blob_size(1024)
        options.set_blob_file_size(2**26)
        options.set_enable_blob_gc(True)
        options.set_compression_type(rocksdict.DBCompressionType.none())
        options.set_blob_compression_type(rocksdict.DBCompressionType.none())
        self._database: Any = rocksdict.Rdict(str(directory), options=options)

    def get(self, name: bytes) -> bytes | None:
        """Return the value; None if there is none of this name."""
        value: bytes | None = self._database.get(name)
        return value

    def replace(self, old: Sequence[bytes], items: Items) -> None:
        """Delete *old* and write *items* in one batch."""
        batch: Any = rocksdict.WriteBatch(raw_mode=True)
        for name in old:
            batch.delete(name)
        for name, value in items:
            batch.put(name, value)
        self._database.write(batch)

    def close(self) -> None:
        """Write what is in memory, and let another process in."""
        self._database.close()


class Diskcache:
    """diskcache: a file for each value, found by SQLite. Names and values are bytes, so it pickles nothing.

    It would unpickle what somebody else wrote into its directory; a cache had to refuse that in a subclass.
    """

    def __init__(self, directory: Path, limit: int) -> None:
        values = {"size_limit": limit, "eviction_policy": "none", "sqlite_mmap_size": 0, "timeout": 30}
        self._cache: Any = diskcache.Cache(str(directory), **values)

    def get(self, name: bytes) -> bytes | None:
        """Return the value; None if there is none of this name."""
        value: bytes | None = self._cache.get(name)
        return value

    def replace(self, old: Sequence[bytes], items: Items) -> None:
        """Delete *old* and write *items*; what SQLite knows of them is one transaction."""
        with self._cache.transact(retry=True):
            for name in old:
                self._cache.delete(name)
            for name, value in items:
                self._cache.set(name, value)

    def close(self) -> None:
        """Close the connections."""
        self._cache.close()


class PlainFiles:
    """No engine: a file for each value, to compare with. Nothing bounds them or knows their age."""

    def __init__(self, directory: Path, _limit: int) -> None:
        self._directory = directory
        for first in range(256):
            (directory / f"{first:02x}").mkdir(parents=True, exist_ok=True)

    def _path(self, name: bytes) -> Path:
        return self._directory / name[:1].hex() / name[1:].hex()

    def get(self, name: bytes) -> bytes | None:
        """Return the content of a file; None if there is none of this name."""
        try:
            with self._path(name).open("rb", buffering=0) as file:
                return file.read()
        except FileNotFoundError:
            return None

    def replace(self, old: Sequence[bytes], items: Items) -> None:
        """Delete the files of *old*; write those of *items*, each under another name at first."""
        for name in old:
            self._path(name).unlink(missing_ok=True)
        for name, value in items:
            part = self._path(name).with_suffix(".part")
            part.write_bytes(value)
            part.rename(self._path(name))

    def close(self) -> None:
        """Do nothing."""


ENGINES: Mapping[str, Callable[[Path, int], Engine]] = {
    "LMDB": Lmdb,
    "RocksDB": Rocks,
    "diskcache": Diskcache,
    **{
        f"SQLite, {kib} KiB pages": functools.partial(Sqlite, page_bytes=kib * 1024)
        for kib in (4, 8, 16, 32, 64)
    },
    "no engine, a file each": PlainFiles,
}
"""Makes each engine in a directory, with the bytes that it may hold."""
