"""Append log records to a file that several processes share, and rotate it when it is full.

concurrent-log-handler 0.9.31 was tried instead and not adopted. It locks a second file for every record: that
doubles the CPU time of a write, needs a writable directory, and lets one stopped process block all others. On
a full disk it keeps failed records in a buffer and writes them again later. Backup names, removal by age and
stderr as a fallback would still be code of ours.
"""

import contextlib
import errno
import fcntl
import logging
import os
from pathlib import Path

from dvidpc.log.backups import backup_path, remove_aged_backups
from dvidpc.log.escaping import one_line
from dvidpc.log.sinks import Sink
from dvidpc.log.unread import StderrWriter

_FILE_MODE = 0o640
_DIRECTORY_MODE = 0o755


class FileSink(Sink):
    """Appends to a file, and renames it to a backup when it is full.

    Several processes may write one file. The process that finds it full renames it under a lock. Each of the
    others compares the path's file with its open one before every write, and reopens the path if they
    differ. An external logrotate is noticed the same way. While the file fails, records go to stderr.
    """

    def __init__(self, path: Path, *, max_size: int, max_age_s: float, now_s: float) -> None:
        """Open the file; create it and its directory if they do not exist.

        Args:
            path: The file.
            max_size: Bytes at which the file is rotated; 0: never.
            max_age_s: Age in seconds at which backups are removed; 0: never.
            now_s: The time, in seconds since 1970.

        Raises:
            OSError: The file cannot be opened.
        """
        super().__init__()
        self._path = path
        self._max_size = max_size
        self._max_age_s = max_age_s
        self._failing = False
        self._stderr = StderrWriter()
        path.parent.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
        self._file = _open_to_append(path)
        remove_aged_backups(path, max_age_s, now_s)

    def write(self, text: str, now_s: float) -> None:
        """Append *text* to the file now at the path; rotate first if it is full.

        Raises:
            OSError: The file cannot be written, or not all of *text* could be.
        """
        line = text.encode(errors="backslashreplace")
        if self._is_full(self._follow_path(), line):
            self._rotate(line, now_s)
        if os.write(self._file, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._failing = False

    def write_elsewhere(self, record: logging.LogRecord, reason: Exception) -> None:
        """Write the record to stderr; before the first of several, say why."""
        if not self._failing:
            self._failing = True
            message = f"cannot write log file: {self._path}: {reason}; its messages follow here"
            self._stderr.write(f"{one_line(message)}\n")
        self._stderr.write(f"{self.format(record)}\n")

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(OSError):
            os.close(self._file)
        self._stderr.close()
        super().close()

    def _is_full(self, file: os.stat_result, line: bytes) -> bool:
        """Return whether *line* does not fit; an empty file takes a line of any length."""
        return 0 < self._max_size < file.st_size + len(line) and file.st_size > 0

    def _follow_path(self) -> os.stat_result:
        """Reopen the path if it no longer names the open file; return the status of the open file."""
        with contextlib.suppress(FileNotFoundError):
            named = self._path.stat()
            if os.path.samestat(named, os.fstat(self._file)):
                return named
        following = _open_to_append(self._path)
        os.close(self._file)
        self._file = following
        return os.fstat(following)

    def _rotate(self, line: bytes, now_s: float) -> None:
        """Rename the file to a backup and begin a new one, unless another process already has.

        That process may not have created the new file yet, so a missing file is no failure here.
        """
        with contextlib.suppress(FileNotFoundError), self._path.open("rb") as full:
            fcntl.flock(full, fcntl.LOCK_EX)
            locked = os.fstat(full.fileno())
            if os.path.samestat(locked, self._path.stat()) and self._is_full(locked, line):
                self._path.rename(backup_path(self._path, now_s))
                remove_aged_backups(self._path, self._max_age_s, now_s)
        self._follow_path()


def _open_to_append(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
