"""Entries of the disk cache: reads, writes and evicts them over one connection. All of it blocks.

A checksum covers an entry's name, version and bytes. It does not cover times, which change without the bytes.
"""

import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from struct import Struct
from typing import Final, NamedTuple, TypeAlias

import msgspec
import xxhash

from dvidpc.cache.disk.database import PAGE_SIZE
from dvidpc.errors import DvidpcError
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange

Part: TypeAlias = ByteRange | int | None
"""A range of an object; its last bytes, if a number; None: all of it."""

_DIGEST_SIZE: Final = 16
_PART: Final = Struct(">qq")
_WHOLE: Final = _PART.pack(-1, 0)

_FIND: Final = """
SELECT e.id, e.version, e.is_gzip, e.checksum, e.current, e.used, s.trusted_since, c.data
FROM entries e JOIN stores s ON s.id = e.store JOIN contents c ON c.id = e.id WHERE e.name = ?
"""


_decode_version: Final = msgspec.json.Decoder(Version).decode


class DamagedEntryError(DvidpcError):
    """An entry is not what was written; the message says why."""


class Entry(NamedTuple):
    """Bytes of an object as the bucket stores them, to be written."""

    name: bytes
    """See `name_part`."""
    identity: str
    """The store's."""
    version: Version
    encoded_version: bytes
    """See `encode_version`."""
    data: bytes
    is_gzip: bool
    """Whether *data* is to be decompressed when the whole object is read."""
    current: float
    """When they were last known to be the object's, in seconds since the epoch."""


class Found(NamedTuple):
    """An entry as it was read."""

    version: Version
    data: bytes
    is_gzip: bool
    current: float
    trusted_since: float
    """What was known to be current before may have been replaced."""
    id: int
    used: float
    """About when it was last used."""


def found_of(entry: Entry) -> Found:
    """Return an entry that is not on disk yet as if it had been read."""
    return Found(entry.version, entry.data, entry.is_gzip, entry.current, 0.0, 0, math.inf)


def start_name(identity: str) -> "blake2b":
    """Return the digest with which the names of a store's objects begin; see `name_part`."""
    return blake2b(f"{identity}\0".encode("utf-8", "surrogatepass"), digest_size=_DIGEST_SIZE)


def name_part(store: "blake2b", key: str, part: Part) -> bytes:
    """Return the name of a part of an object; *store* is what `start_name` returned."""
    digest = store.copy()
    digest.update(key.encode("utf-8", "surrogatepass"))
    if part is None:
        return digest.digest() + _WHOLE
    return digest.digest() + (_PART.pack(-2, part) if isinstance(part, int) else _PART.pack(*part))


def object_of(name: bytes) -> bytes:
    """Return the beginning that the names of all parts of an object share."""
    return name[:_DIGEST_SIZE]


def find(connection: sqlite3.Connection, name: bytes) -> Found | None:
    """Return an entry; None if there is none.

    Raises:
        DamagedEntryError: It is damaged.
        sqlite3.Error: The database cannot be read.
    """
    row = connection.execute(_FIND, (name,)).fetchone()
    if row is None:
        return None
    number, version, is_gzip, checksum, current, used, trusted_since, data = row
    try:
        if _checksum(name, version, is_gzip, data) != checksum:
            raise DamagedEntryError("its checksum differs")
        return Found(
            _decode_version(version),
            data,
            bool(is_gzip),
            current + 0.0,
            trusted_since + 0.0,
            number,
            used + 0.0,
        )
    except (TypeError, msgspec.DecodeError) as error:
        raise DamagedEntryError(str(error)) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Do everything within or nothing; waits for other writers.

    Raises:
        sqlite3.Error: It failed; nothing was done.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def insert(connection: sqlite3.Connection, entry: Entry, *, now: float) -> bool:
    """Write an entry unless a newer one is there; return whether it was written."""
    old = connection.execute("SELECT id, current FROM entries WHERE name = ?", (entry.name,)).fetchone()
    if old is not None:
        if old[1] > entry.current:
            return False
        delete(connection, [old[0]])
    checksum = _checksum(entry.name, entry.encoded_version, entry.is_gzip, entry.data)
    connection.execute("INSERT OR IGNORE INTO stores (identity) VALUES (?)", (entry.identity,))
    row = connection.execute(
        "INSERT INTO entries (name, store, version, is_gzip, checksum, size, current, used) "
        "VALUES (?, (SELECT id FROM stores WHERE identity = ?), ?, ?, ?, ?, ?, ?)",
        (
            entry.name,
            entry.identity,
            entry.encoded_version,
            entry.is_gzip,
            checksum,
            len(entry.data),
            entry.current,
            now,
        ),
    )
    connection.execute("INSERT OR REPLACE INTO contents VALUES (?, ?)", (row.lastrowid, entry.data))
    connection.execute("UPDATE totals SET entries = entries + 1")
    return True


def delete(connection: sqlite3.Connection, ids: Sequence[int]) -> int:
    """Delete entries by id; return how many were there."""
    rows = [(number,) for number in ids]
    connection.executemany("DELETE FROM contents WHERE id = ?", rows)
    deleted = connection.executemany("DELETE FROM entries WHERE id = ?", rows).rowcount
    connection.execute("UPDATE totals SET entries = entries - ?", (deleted,))
    return deleted


def delete_named(connection: sqlite3.Connection, name: bytes) -> None:
    """Delete the entry of this name if there is one."""
    row = connection.execute("SELECT id FROM entries WHERE name = ?", (name,)).fetchone()
    if row is not None:
        delete(connection, row)


def confirm(connection: sqlite3.Connection, name: bytes, current: float) -> None:
    """Note that an entry is known to be the object's as of *current*."""
    connection.execute("UPDATE entries SET current = max(current, ?) WHERE name = ?", (current, name))


def touch(connection: sqlite3.Connection, number: int, *, now: float) -> None:
    """Note that an entry is in use."""
    connection.execute("UPDATE entries SET used = ? WHERE id = ?", (now, number))


def distrust(connection: sqlite3.Connection, identity: str, since: float) -> None:
    """Note that the objects of a store may have been replaced before *since*."""
    connection.execute(
        "INSERT INTO stores (identity, trusted_since) VALUES (?, ?) "
        "ON CONFLICT DO UPDATE SET trusted_since = max(trusted_since, excluded.trusted_since)",
        (identity, since),
    )


def ids_of_object(connection: sqlite3.Connection, digest: bytes, *, until: float, most: int) -> list[int]:
    """Return some entries of an object that were last confirmed at *until* or before."""
    rows = connection.execute(
        "SELECT id FROM entries WHERE name >= ? AND name < ? AND current <= ? LIMIT ?",
        (digest, digest + b"\xff" * (_PART.size + 1), until, most),
    )
    return [number for (number,) in rows]


def least_used(connection: sqlite3.Connection, most: int) -> list[int]:
    """Return the entries that were not used for the longest time."""
    rows = connection.execute("SELECT id FROM entries ORDER BY used LIMIT ?", (most,))
    return [number for (number,) in rows]


def pages_of(entry: Entry) -> int:
    """Return how many pages an entry takes at most, its share of the indexes included."""
    return len(entry.data) // (PAGE_SIZE - 4) + 4


def free_pages(connection: sqlite3.Connection, most: int) -> int:
    """Return how many pages can be written before the database has *most*."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    return int(most - pages + free)


def count(connection: sqlite3.Connection) -> int:
    """Return the number of entries."""
    (entries,) = connection.execute("SELECT entries FROM totals").fetchone()
    return int(entries)


def oldest_use(connection: sqlite3.Connection, *, default: float) -> float:
    """Return when the least recently used entry was used; *default* if there is none."""
    (used,) = connection.execute("SELECT min(used) FROM entries").fetchone()
    return default if used is None else float(used)


def encode_version(version: Version) -> bytes:
    """Return a version as it is stored.

    Raises:
        UnicodeEncodeError: It holds what is not text.
    """
    return msgspec.json.encode(version)


def _checksum(name: bytes, version: bytes, is_gzip: object, data: bytes) -> bytes:
    checksum = xxhash.xxh3_128(name)
    checksum.update(version)
    checksum.update(b"\1" if is_gzip else b"\0")
    checksum.update(data)
    return checksum.digest()
