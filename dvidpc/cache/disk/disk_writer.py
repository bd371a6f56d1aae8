"""Owns the database and the connection that writes, and decides what to do when the disk fails."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from dvidpc.cache.disk.applying import Applying, Report
from dvidpc.cache.disk.database import DATABASE_ERRORS, Database, Trouble, describe, open_database, trouble_of
from dvidpc.cache.disk.disk_place import LockedError, Place, UnusableError
from dvidpc.cache.disk.pending import Pending
from dvidpc.errors import DvidpcError

if TYPE_CHECKING:
    import sqlite3

log = logging.getLogger(__name__)

RETRY_MIN_S: Final = 60.0
RETRY_MAX_S: Final = 3600.0
"""The first and the longest pause before a disk that failed is written to again."""


class DiskWriter:
    """Applies changes. For use on one thread; its attributes may be read by others.

    Args:
        place: Where the database lies.
        max_bytes: The budget.
        clock: Seconds since the epoch.
        on_left: Called when the database is no longer used: connections to it must be closed.
    """

    def __init__(
        self, place: Place, max_bytes: int, clock: Callable[[], float], on_left: Callable[[], None]
    ) -> None:
        self.database: Database | None = None
        """What to read from; None while there is none."""
        self.trouble: str | None = None
        """Why nothing is written; None if all is well."""
        self._place = place
        self._max_bytes = max_bytes
        self._clock = clock
        self._on_left = on_left
        self._connection: sqlite3.Connection | None = None
        self._log: tuple[int, int] | None = None
        """Which log the connection writes to; None if that is not known."""
        self._pause_s = RETRY_MIN_S
        self._retry_at = 0.0

    def apply(self, pending: Pending, *, is_damaged: bool = False) -> Report:
        """Write a batch of changes; never raises.

        Args:
            pending: The changes.
            is_damaged: Whether a reader found that the database is damaged.
        """
        report = Report()
        if not self.is_pausing():
            try:
                self._apply(pending, report, is_damaged=is_damaged)
            except (*DATABASE_ERRORS, OSError, DvidpcError) as error:
                report.errors += 1
                self._handle(error)
        report.dropped += len(pending.entries)
        return report

    def is_pausing(self) -> bool:
        """Return whether nothing is written now, because the disk failed a short while ago."""
        return self.trouble is not None and self._clock() < self._retry_at

    def close(self) -> None:
        """Close the database."""
        database, self.database = self.database, None
        self._disconnect(database)
        self._on_left()

    def _apply(self, pending: Pending, report: Report, *, is_damaged: bool) -> None:
        if self.database is not None:
            if self.database.is_read_only():
                self.close()
                raise UnusableError(f"the file system of {self._place.root} takes no writes any more")
            if not self.database.is_in_place():
                log.warning("disk cache starts empty: %s was deleted or replaced", self._place.file)
                self.close()
            elif is_damaged:
                self._set_aside("a read found damage")
            elif self._has_lost_log(self.database):
                log.warning("disk cache at %s is opened anew: its log was deleted", self._place.root)
                self.close()
        is_new = self.database is None
        if self.database is None:
            self.database = open_database(self._place, self._max_bytes)
        if self._connection is None:
            self._connection = self.database.connect()
            self._log = self.database.find_log()
        with self._place.locked():  # before 3.51.3, SQLite may lose what is written during a checkpoint
            Applying(self.database, self._connection, report, self._clock()).apply(pending)
        if self.trouble is not None and (is_new or report.written):
            log.warning("disk cache at %s can be written to again", self._place.root)
            self.trouble = None

    def _has_lost_log(self, database: Database) -> bool:
        """Return whether others no longer see the log that the connection writes to, or it is unbounded."""
        if self._connection is None:
            return False
        try:
            return database.find_log() != self._log
        except OSError:
            return True

    def _handle(self, error: Exception) -> None:
        if isinstance(error, DATABASE_ERRORS):
            trouble = trouble_of(error)
        else:
            is_waiting = isinstance(error, LockedError) and self.database is not None
            trouble = Trouble.BUSY if is_waiting else Trouble.UNWRITABLE
        if trouble is Trouble.DAMAGED:
            try:
                self._set_aside(describe(error))
            except (OSError, DvidpcError) as another:
                self._stop(another)
        elif trouble is Trouble.BUSY:
            log.warning("values were not written to the disk cache at %s: %s", self._place.root, error)
        else:
            self._stop(error)

    def _set_aside(self, why: str) -> None:
        """Move a damaged database out of the way, unless another process has done so."""
        database = self.database
        self.close()
        with self._place.locked():
            if database is not None and database.is_in_place():
                moved = self._place.move_aside()
                log.warning(
                    "disk cache starts empty: %s is damaged: %s; it is kept as %s while there is room",
                    self._place.file,
                    why,
                    moved,
                )

    def _stop(self, error: Exception) -> None:
        """Write nothing for a while; reads go on."""
        self._disconnect(self.database)
        if self.trouble is None:
            self._pause_s = RETRY_MIN_S
            log.error(
                "disk cache at %s is not %s: %s; check room, permissions and health of this disk, "
                "which is tried again in %g s, then less often",
                self._place.root,
                "used" if self.database is None else "written to",
                describe(error),
                self._pause_s,
            )
        self.trouble = describe(error)
        self._retry_at = self._clock() + self._pause_s
        self._pause_s = min(RETRY_MAX_S, 2 * self._pause_s)

    def _disconnect(self, database: Database | None) -> None:
        if self._connection is not None and database is not None:
            database.close(self._connection)
        self._connection = None
