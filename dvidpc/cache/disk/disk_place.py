"""Where the cache lies below the configured directory, and how what cannot be used is moved out of the way.

dvidpc-cache/cache.sqlite      the database, with its -wal and -shm
dvidpc-cache/CACHEDIR.TAG      says that the directory is ours, and keeps backups away
dvidpc-cache.lock              held while a database is made, moved or written to
dvidpc-cache.set-aside-<n>     a damaged or older cache of ours; deleted when its room is needed
dvidpc-cache.foreign-<n>       what somebody else put where ours belongs; never deleted
"""

import errno
import fcntl
import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dvidpc.errors import DvidpcError

APPLICATION_ID: Final = 0x64767063
"""Stands in the header of our databases."""
_HEADER_SIZE: Final = 100
_TAG: Final = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This directory is the disk cache of dvidpc. It may be deleted at any time.\n"
)
"""Contents of CACHEDIR.TAG (https://bford.info/cachedir/)."""
LOCK_PATIENCE_S: Final = 5.0
"""How long to wait for another process that opens the database."""
_NETWORK: Final = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
)
"""File systems that other machines write to as well: SQLite's log is shared through memory."""


class UnusableError(DvidpcError):
    """The directory cannot hold the disk cache; the message says why."""


class LockedError(UnusableError):
    """Another process keeps the cache locked for too long."""


class ForeignError(DvidpcError):
    """Something that is not ours lies where the cache belongs; the message says what."""


@dataclass(frozen=True, slots=True)
class Place:
    """The files of the cache below the configured directory."""

    root: Path
    mounts: str | None = None
    """The contents of `/proc/self/mounts`; None to read them."""

    @property
    def directory(self) -> Path:
        """What holds the database."""
        return self.root / "dvidpc-cache"

    @property
    def file(self) -> Path:
        """The database."""
        return self.directory / "cache.sqlite"

    @property
    def wal(self) -> Path:
        """The write-ahead log of the database."""
        return self.directory / "cache.sqlite-wal"

    @property
    def log_index(self) -> Path:
        """The index of the write-ahead log, which all connections share."""
        return self.directory / "cache.sqlite-shm"

    @property
    def _tag(self) -> Path:
        return self.directory / "CACHEDIR.TAG"

    @property
    def _lock(self) -> Path:
        return self.root / "dvidpc-cache.lock"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock under which a database is made, moved or written to.

        Raises:
            LockedError: Another process holds it for longer than a few seconds.
            OSError: The directory cannot be written to.
        """
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            deadline = time.monotonic() + LOCK_PATIENCE_S
            while not _is_locked_by_us(descriptor):
                if time.monotonic() > deadline:
                    raise LockedError(f"another process keeps {self._lock} locked")
                time.sleep(0.02)
            yield
        finally:
            os.close(descriptor)

    def make_root(self) -> None:
        """Make the configured directory if only that is missing.

        Raises:
            UnusableError: It lies on a network file system.
            OSError: It cannot be made.
        """
        self.root.mkdir(mode=0o700, exist_ok=True)
        kind = file_system_of(self.root, _read_mounts() if self.mounts is None else self.mounts)
        if kind in _NETWORK or kind.startswith("fuse.sshfs"):
            raise UnusableError(f"{self.root} is on a network file system ({kind}), not on a local disk")

    def claim(self) -> None:
        """Make the directory and an empty file in it, if they are missing.

        Raises:
            ForeignError: Something that is not ours is there.
            OSError: The directory cannot be written to.
        """
        if os.path.lexists(self.directory) and not self.is_ours():
            raise ForeignError(f"{self.directory} was not made by dvidpc")
        self.directory.mkdir(mode=0o700, exist_ok=True)
        if not self._tag.exists():
            self._tag.touch(mode=0o600)
            self._tag.write_text(_TAG)
        with suppress(FileExistsError):  # opening and closing it would release the locks of its users here
            os.close(os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))

    def is_ours(self) -> bool:
        """Return whether the directory is one that `claim` has made, or an empty one.

        A program that deletes old files may have deleted the tag: it is never written to.
        """
        return self.directory.is_dir() and (
            self._tag.is_file() or _is_our_database(self.file) or not any(self.directory.iterdir())
        )

    def move_aside(self) -> Path:
        """Move a cache of ours out of the way, delete those moved before, and return where it is now."""
        self.drop_set_aside()
        return self._move_to("set-aside")

    def move_foreign(self) -> Path:
        """Move what is not ours out of the way, and return where it is now."""
        return self._move_to("foreign")

    def _move_to(self, kind: str) -> Path:
        for number in itertools.count(1):
            target = self.root / f"dvidpc-cache.{kind}-{number}"
            if not os.path.lexists(target):
                self.directory.rename(target)
                return target
        raise AssertionError

    def delete(self) -> None:
        """Delete the database."""
        _delete_ours(self.directory)

    def set_aside_bytes(self) -> int:
        """Return how many bytes the caches take that were moved aside."""
        return sum(size_of(file) for directory in self._set_aside() for file in directory.iterdir())

    def drop_set_aside(self) -> None:
        """Delete the caches that were moved aside."""
        for directory in self._set_aside():
            _delete_ours(directory)

    def _set_aside(self) -> list[Path]:
        return [path for path in self.root.glob("dvidpc-cache.set-aside-*") if path.is_dir()]


def size_of(file: Path) -> int:
    """Return the size of a file; 0 if there is none."""
    with suppress(OSError):
        return file.stat().st_size
    return 0


def _is_our_database(file: Path) -> bool:
    """Return whether *file* begins as our databases do (SQLite, fileformat.html, section 1.3)."""
    with suppress(FileNotFoundError), file.open("rb") as stream:
        header = stream.read(_HEADER_SIZE)
        return header.startswith(b"SQLite format 3\0") and header[68:72] == APPLICATION_ID.to_bytes(4, "big")
    return False


def file_system_of(path: Path, mounts: str) -> str:
    """Return the type of the file system of *path*, such as `ext4`; empty if *mounts* does not say.

    Args:
        path: An absolute path.
        mounts: The contents of `/proc/self/mounts`.
    """
    found, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        mount = fields[1].encode().decode("unicode_escape")
        if path.is_relative_to(mount) and len(mount) >= len(found):
            found, kind = mount, fields[2]
    return kind


def _read_mounts() -> str:
    with suppress(OSError):
        return Path("/proc/self/mounts").read_text()
    return ""


def _is_locked_by_us(descriptor: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _delete_ours(directory: Path) -> None:
    """Delete the files that we make in *directory*, and the directory if nothing else is in it."""
    for name in ("cache.sqlite-wal", "cache.sqlite-shm", "cache.sqlite", "CACHEDIR.TAG"):
        (directory / name).unlink(missing_ok=True)
    try:
        directory.rmdir()
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.ENOENT}:
            raise
