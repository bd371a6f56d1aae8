"""Reads one file in one blocking call: open, check, read, check again, close. Runs in a thread."""

import errno
import os
import stat
from collections.abc import Callable

from dvidpc.errors import FormatError, ObjectChangedError, StoreError, StoreRefusedError
from dvidpc.storage.base import Blob
from dvidpc.storage.object_checks import check_etag, check_size
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

    return read_checked(name, path, choose, etag=None)


def read_file_range(name: str, path: str, byte_range: ByteRange, etag: str | None) -> Blob | None:
    """Return exactly *byte_range* of the file; None if there is no such file.

    Args:
        name: How errors name the object.
        path: Where the file is.
        byte_range: Which bytes.
        etag: The content that the caller expects; None to accept any.

    Raises:
        FormatError: The file ends before the range does, or is not a regular file.
        ObjectChangedError: The file's etag is no longer *etag*.
        StoreError: The file system failed, or the file changed during the read.
    """

    def choose(found: os.stat_result) -> ByteRange:
        check_etag(name, known=etag, found=etag_of(found))
        if found.st_size < byte_range.stop:
            raise FormatError(
                f"{name} ends at byte {found.st_size}, before its bytes "
                f"{byte_range.start}-{byte_range.stop} do"
            )
        return byte_range

    return read_checked(name, path, choose, etag=etag)


def read_checked(
    name: str, path: str, choose: Callable[[os.stat_result], ByteRange], *, etag: str | None
) -> Blob | None:
    """Return a range of the file, all of it as of one moment; None if there is no such file.

    Args:
        name: How errors name the object.
        path: Where the file is.
        choose: Checks the open file, and returns which bytes to read.
        etag: The content that the caller expects; None to accept any.

    Raises:
        FormatError: It is not a regular file.
        ObjectChangedError: It changed during the read, and *etag* is given.
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
        found, known = etag_of(os.fstat(descriptor)), etag_of(before)
    except OSError as error:
        raise StoreError(f"{name} cannot be read: {error.strerror}") from error
    finally:
        os.close(descriptor)
    if found != known:
        changed = StoreError if etag is None else ObjectChangedError
        raise changed(f"{name} changed while it was read: its etag is {found}, not {known}")
    return Blob(data, found)


def etag_of(found: os.stat_result) -> str:
    """Return a strong etag, which differs for a file that was replaced or written to."""
    return f'"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}"'


def _open(name: str, path: str) -> int | None:
    """Return a file descriptor; None if there is no such file."""
    try:
        return os.open(path, _FLAGS)
    except ValueError as error:  # a NUL, or a character that the file system cannot encode
        raise FormatError(f"{name} is not a possible file name") from error
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR}:
            return None
        raise _open_error(name, error) from error


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
