"""Looks at, checks and deletes the disk cache below a directory, also while servers use it.

Everything here blocks.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dvidpc.cache.disk import entries
from dvidpc.cache.disk.database import (
    DATABASE_ERRORS,
    FORMAT,
    PAGE_SIZE,
    Trouble,
    UnreadableError,
    check_format,
    connect,
    describe,
    trouble_of,
)
from dvidpc.cache.disk.disk_place import Place, UnusableError
from dvidpc.cache.disk.entries import DamagedEntryError

_STEP: Final = 64
"""Entries checked between two looks at the database, so that its log can be emptied meanwhile."""


_NEXT: Final = """
SELECT e.id, e.name, e.size, s.identity FROM entries e LEFT JOIN stores s ON s.id = e.store
WHERE e.id > ? ORDER BY e.id LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class StoreStats:
    """What the disk cache keeps of one store."""

    identity: str
    entries: int
    nbytes: int
    """Bytes of the values."""
    oldest: float
    """When the least recently used entry was used, in seconds since the epoch; within ten minutes or more."""
    newest: float
    """Likewise, the most recently used entry."""


@dataclass(frozen=True, slots=True)
class DiskStats:
    """What a disk cache keeps."""

    format: int
    """The number of the format."""
    budget: int
    """In bytes, as the last server that was started has it."""
    nbytes: int
    """Bytes of the database that are in use."""
    entries: int
    stores: tuple[StoreStats, ...]
    """The largest first."""


@dataclass(slots=True)
class VerifyResult:
    """What a check of all entries found."""

    checked: int = 0
    damaged: list[str] = field(default_factory=list)
    """What is damaged; damaged entries have been deleted."""


def stats_of(path: Path) -> DiskStats | None:
    """Return what the disk cache below *path* keeps; None if there is no cache.

    Raises:
        UnreadableError: It is damaged, or of another format.
        UnusableError: It cannot be opened.
    """
    place = Place(path)
    if not place.file.exists():
        return None
    with _opened(place) as connection:
        budget, count = connection.execute("SELECT budget, entries FROM totals").fetchone()
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        rows = connection.execute(
            "SELECT s.identity, count(*), sum(e.size), min(e.used), max(e.used) "
            "FROM entries e JOIN stores s ON s.id = e.store GROUP BY s.id ORDER BY sum(e.size) DESC"
        )
        stores = tuple(StoreStats(identity.decode(), *rest) for identity, *rest in rows)
    return DiskStats(FORMAT, budget, (pages - free) * PAGE_SIZE, count, stores)


def verify(path: Path, progress: Callable[[int, int], None]) -> VerifyResult:
    """Read all entries below *path*, and delete those that are damaged.

    Args:
        path: The configured directory.
        progress: Called from time to time with the number of checked entries, and of all.

    Raises:
        UnreadableError: The database is damaged as a whole, or of another format.
        UnusableError: It cannot be opened.
    """
    place = Place(path)
    result = VerifyResult()
    if not place.file.exists():
        return result
    with _opened(place) as connection:
        last, total = 0, entries.count(connection)
        while rows := connection.execute(_NEXT, (last, _STEP)).fetchall():
            last = rows[-1][0]
            for number, name, size, identity in rows:
                result.checked += 1
                problem = _problem_of(connection, name)
                if problem is not None:
                    of = "no store" if identity is None else identity.decode()
                    result.damaged.append(f"entry {number} of {of}, {size} bytes: {problem}")
                    with entries.transaction(connection):
                        entries.delete(connection, [number])
            progress(result.checked, total)
    return result


def clear(path: Path) -> None:
    """Delete the disk cache below *path*, and what was set aside; servers that use it start an empty one.

    Raises:
        UnusableError: It cannot be deleted, or is not ours.
    """
    place = Place(path)
    try:
        if any(path.glob("dvidpc-cache*")):
            with place.locked():
                place.drop_set_aside()
                if place.is_ours():
                    place.delete()
    except OSError as error:
        raise UnusableError(f"{path} cannot be cleared: {describe(error)}") from error


def _problem_of(connection: sqlite3.Connection, name: bytes) -> str | None:
    """Return why an entry cannot be served; None if it can."""
    try:
        found = entries.find(connection, name)
    except DamagedEntryError as error:
        return str(error)
    return "its bytes are missing" if found is None else None


@contextmanager
def _opened(place: Place) -> Iterator[sqlite3.Connection]:
    try:
        with closing(connect(place)) as connection:
            check_format(connection, place)
            yield connection
    except DATABASE_ERRORS as error:
        if trouble_of(error) is Trouble.DAMAGED:
            raise UnreadableError(f"{place.file} is damaged: {error}") from error
        raise UnusableError(f"{place.file} cannot be used: {error}") from error
