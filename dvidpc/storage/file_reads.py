"""Reads one file in one blocking call: open, check, read, check again, close. Runs in a thread."""

import errno
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from dvidpc.errors import FormatError, ObjectChangedError, StoreError, StoreRefusedError
from dvidpc.storage.base import Blob
from dvidpc.storage.object_checks import check_size, check_version, too_short
from dvidpc.storage.versions import SETTLED_AFTER_S, Comparison, Version, compare
from dvidpc.types import ByteRange

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
"""Without `O_NONBLOCK`, opening a FIFO waits until somebody writes to it."""


def read_file(name: str, path: str, *, max_size: int) -> Blob | None:
    """Return the whole file; None if there is no such file.

    Args:
        name: How errors name the object.
        path: Where the file is.
        max_size: The largest size to read, in bytes.

    Raises:
        FormatError: The file is larger than *max_size*, or is not a regular file.
        StoreError: The file system failed, or the file changed during the read.
    """

    def choose(found: os.stat_result) -> ByteRange:
        check_size(name, found.st_size, max_size)
        return ByteRange(0, found.st_size)

    return read_checked(name, path, choose, version=None)


def read_file_range(name: str, path: str, byte_range: ByteRange, version: Version | None) -> Blob | None:
    """Return exactly *byte_range* of the file; None if there is no such file.

    Args:
        name: How errors name the object.
        path: Where the file is.
        byte_range: Which bytes.
        version: The content that the caller expects; None to accept any.

    Raises:
        FormatError: The file ends before the range does, or is not a regular file.
        ObjectChangedError: The file is no longer *version*.
        StoreError: The file system failed, or the file changed during the read.
    """

    def choose(found: os.stat_result) -> ByteRange:
        check_version(name, known=version or Version(), found=version_of(found, time.time()))
        if found.st_size < byte_range.stop:
            raise FormatError(
                f"{name} ends at byte {found.st_size}, before its bytes "
                f"{byte_range.start}-{byte_range.stop} do"
            )
        return byte_range

    return read_checked(name, path, choose, version=version)


def read_file_tail(name: str, path: str, size: int) -> Blob | None:
    """Return the last *size* bytes of the file; None if there is no such file.

    Args:
        name: How errors name the object.
        path: Where the file is.
        size: How many bytes.

    Raises:
        FormatError: The file has fewer bytes, or is not a regular file.
        StoreError: The file system failed, or the file changed during the read.
    """

    def choose(found: os.stat_result) -> ByteRange:
        if found.st_size < size:
            raise too_short(name, found.st_size, size)
        return ByteRange(found.st_size - size, found.st_size)

    return read_checked(name, path, choose, version=None)


def read_checked(
    name: str, path: str, choose: Callable[[os.stat_result], ByteRange], *, version: Version | None
) -> Blob | None:
    """Return a range of the file, all of it as of one moment; None if there is no such file.

    Args:
        name: How errors name the object.
        path: Where the file is.
        choose: Checks the open file, and returns which bytes to read.
        version: The content that the caller expects; None to accept any.

    Raises:
        FormatError: It is not a regular file.
        ObjectChangedError: It changed during the read, and *version* is given.
        StoreError: The file system failed; or the file changed during the read, and a retry is welcome.
    """
    descriptor = _open(name, path)
    if descriptor is None:
        return None
    try:
        before = os.fstat(descriptor)
        if stat.S_ISDIR(before.st_mode):
            return None
        if not stat.S_ISREG(before.st_mode):
            raise FormatError(f"{name} is not a regular file")
        data = _read_bytes(name, descriptor, choose(before))
        known = version_of(before, time.time())
        found = version_of(os.fstat(descriptor), time.time())
    except OSError as error:
        raise StoreError(f"{name} cannot be read: {error.strerror}") from error
    finally:
        os.close(descriptor)
    if compare(known, found) is Comparison.REPLACED:
        changed = StoreError if version is None else ObjectChangedError
        raise changed(f"{name} changed while it was read: its etag is {found.etag}, not {known.etag}")
    return Blob(data, found)


def version_of(found: os.stat_result, now_s: float) -> Version:
    """Return the version of a file. Its etag differs for a file that was replaced or written to.

    The inode's number is a part of the etag, and some network file systems give a file a new one each time
    it is looked up. There the times of the last write and of the last rename decide.

    Args:
        found: What the file system says of it.
        now_s: Seconds since the epoch.
    """
    etag = f'"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}"'
    modified = f"{found.st_mtime_ns:x}-{found.st_ctime_ns:x}"
    is_settled = now_s - max(found.st_mtime, found.st_ctime) >= SETTLED_AFTER_S
    return Version(etag, found.st_size, modified, is_settled)


def _open(name: str, path: str) -> int | None:
    """Return a file descriptor; None if there is no such file."""
    try:
        return os.open(path, _FLAGS)
    except ValueError as error:  # a NUL, or a character that the file system cannot encode
        raise FormatError(f"{name} is not a possible file name") from error
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ENOTDIR}:
            raise _open_error(name, error) from error
        if link := find_dangling_link(path):
            raise StoreError(
                f"{name} cannot be read: {link!a} is a link to nothing; is the disk mounted, was the content "
                "fetched (git annex get, datalad get)?"
            ) from error
        return None


def find_dangling_link(path: str) -> str | None:
    """Return the link to nothing that a missing file is behind, or is itself; None if it is just missing."""
    for place in (Path(path), *Path(path).parents):
        try:
            found = place.lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            return None
        return str(place) if stat.S_ISLNK(found.st_mode) and _leads_nowhere(place) else None
    return None


def _leads_nowhere(link: Path) -> bool:
    try:
        link.stat()
    except FileNotFoundError:
        return True
    except OSError:  # such as a loop, which reads report
        return False
    return False


def _read_bytes(name: str, descriptor: int, byte_range: ByteRange) -> bytes:
    data = os.pread(descriptor, byte_range.size, byte_range.start)
    while len(data) < byte_range.size:  # Linux reads at most 2 GiB in one call
        more = os.pread(descriptor, byte_range.size - len(data), byte_range.start + len(data))
        if not more:
            raise StoreError(f"{name} cannot be read: {len(data)} bytes arrived instead of {byte_range.size}")
        data += more
    return data


def _open_error(name: str, error: OSError) -> FormatError | StoreError:
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return StoreRefusedError(f"{name} cannot be read: this user has no permission to read it", 403)
        case errno.ENAMETOOLONG:
            return FormatError(f"{name} is not a possible file name: it is too long")
        case errno.ENXIO | errno.ENODEV:  # a socket, or a device without a driver
            return FormatError(f"{name} is not a regular file")
        case _:
            return StoreError(f"{name} cannot be read: {error.strerror}")
