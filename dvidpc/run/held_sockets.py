"""Sockets that exist before the server listens: passed by systemd, or in the file system."""

import contextlib
import errno
import fcntl
import os
import socket
import stat
from collections.abc import Iterator, Mapping
from typing import Final

from dvidpc.config import UnixAddress
from dvidpc.errors import ConfigError

_FIRST: Final = 3
"""The first file descriptor that systemd passes.  (sd_listen_fds(3))"""


def passed_sockets(environ: Mapping[str, str], pid: int) -> list[socket.socket]:
    """Return the listening sockets that systemd, or what acts like it, has passed to the process *pid*.

    None are passed to a process that another one of its kind has started: `LISTEN_PID` names the first.

    Raises:
        ConfigError: What was passed is not a socket that listens for streams.
    """
    if environ.get("LISTEN_PID") != str(pid):
        return []
    count = environ.get("LISTEN_FDS", "")
    if not count.isdecimal():
        raise ConfigError(f"LISTEN_FDS={count!r} is not a number; start the server by a systemd socket unit")
    return [_passed_socket(number) for number in range(_FIRST, _FIRST + int(count))]


def _passed_socket(number: int) -> socket.socket:
    try:
        passed = socket.socket(fileno=number)
        fcntl.fcntl(number, fcntl.F_SETFD, fcntl.FD_CLOEXEC)  # helpers that look up credentials get none
        if passed.type == socket.SOCK_STREAM and passed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return passed
        passed.detach()
    except OSError as error:
        raise ConfigError(f"file descriptor {number}, which systemd passed: {error.strerror}") from error
    raise ConfigError(f"file descriptor {number}, which systemd passed, is not a listening stream socket")


@contextlib.contextmanager
def unix_socket(address: UnixAddress, key: str) -> Iterator[socket.socket]:
    """Listen at *address* as long as the context lasts; the process's umask decides who may connect.

    Args:
        address: Where. A socket that a killed server has left there is replaced.
        key: The configuration's key, for the error.

    Raises:
        ConfigError: It is in use, or the file cannot be made.
    """
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with contextlib.closing(made):
        try:
            _remove_left_over(address)
            made.bind(str(address.path))
            made.listen()
        except OSError as error:
            reason = error.strerror or str(error)
            raise ConfigError(f"{key}: cannot listen on {address}: {reason}; name another") from error
        try:
            yield made
        finally:
            address.path.unlink(missing_ok=True)


def _remove_left_over(address: UnixAddress) -> None:
    """Remove a socket at which nobody listens any more.

    Raises:
        OSError: Somebody does, or the file is not a socket.
    """
    try:
        if not stat.S_ISSOCK(address.path.stat().st_mode):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(address.path))
        except ConnectionRefusedError:
            address.path.unlink(missing_ok=True)
        else:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
