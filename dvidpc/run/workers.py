"""Runs several workers on one port and keeps their number: one that dies is replaced."""

import contextlib
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

from dvidpc.config import Address, one_line
from dvidpc.errors import ConfigError

log = logging.getLogger(__name__)

RESTART_PAUSE_S: Final = 1.0
"""How long to wait before a worker that died soon after its start is replaced."""

_CONFIG_ERROR_CODE = 2


@dataclass(frozen=True, slots=True)
class Seat:
    """What a worker is told by its supervisor."""

    number: int
    """Which worker it is, from 0."""
    lifeline: int
    """The file descriptor that is at its end once the supervisor is no more."""


@contextlib.contextmanager
def reserved_port(address: Address) -> Iterator[Address]:
    """Hold the port of *address* for workers that share it; which one it is, where any will do.

    Raises:
        ConfigError: Somebody listens there already. With SO_REUSEPORT alone nobody would notice,
            and the two servers would get every other request.
    """
    host, port = address.host or "", address.port
    with contextlib.closing(_bind(host, port, shared=False)) as probe:
        port = probe.getsockname()[1]
    with contextlib.closing(_bind(host, port, shared=True)):
        yield Address(address.host, port)


def _bind(host: str, port: int, *, shared: bool) -> socket.socket:
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(place)
    except OSError as error:
        address = Address(host or None, port)
        reason = error.strerror or str(error)
        raise ConfigError(
            f"[server] httpAddress: cannot listen on {address}: {reason}; name another"
        ) from error
    return bound


@contextlib.contextmanager
def pid_file(path: Path | None) -> Iterator[None]:
    """Have the number of this process in *path* for a while; None: nowhere.

    Raises:
        ConfigError: The file cannot be written.
    """
    if path is None:
        yield
        return
    try:
        path.write_text(f"{os.getpid()}\n")
    except OSError as error:
        message = f"[server] pidFile: {path} cannot be written: {error.strerror}; name a file that can"
        raise ConfigError(one_line(message)) from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def supervise(workers: int, run: Callable[[Seat], int]) -> int:
    """Run *run* in *workers* child processes until told to stop; the exit code.

    SIGTERM, SIGINT and SIGHUP are passed on. A worker that ends by itself is replaced, unless it
    says that the configuration is wrong. Call it before any thread or event loop is made.

    Args:
        workers: How many.
        run: What a worker does; its exit code.
    """
    return _Supervisor(run).keep(workers)


class _Supervisor:
    def __init__(self, run: Callable[[Seat], int]) -> None:
        self._run = run
        self._children: dict[int, tuple[int, float]] = {}
        self._stopping = False
        self._code = 0
        self._lifeline, self._held = os.pipe()

    def keep(self, workers: int) -> int:
        for passed_on in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(passed_on, self._pass_on)
        for number in range(workers):
            self._start(number)
        while self._children:
            pid, status = os.waitpid(-1, 0)
            self._ended(pid, os.waitstatus_to_exitcode(status))
        return self._code

    def _start(self, number: int) -> None:
        pid = os.fork()
        if pid == 0:
            os._exit(self._be_worker(number))
        self._children[pid] = number, time.monotonic()
        if self._stopping:  # the signal came while this child was made
            os.kill(pid, signal.SIGTERM)

    def _be_worker(self, number: int) -> int:
        os.close(self._held)
        os.setpgid(0, 0)  # a Ctrl-C at the terminal goes to the supervisor, which passes it on
        for handled in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(handled, signal.SIG_DFL)
        try:
            return self._run(Seat(number, self._lifeline))
        except BaseException:
            log.exception("worker %d failed; this is a bug of dvidpc", number)
            return 1

    def _ended(self, pid: int, code: int) -> None:
        number, started = self._children.pop(pid)
        if self._stopping:
            self._code = self._code or max(code, 0)
        elif code == _CONFIG_ERROR_CODE:
            self._code = code
            self._pass_on(signal.SIGTERM, None)
        else:
            how = f"by signal {-code}" if code < 0 else f"with code {code}"
            log.error("worker %d (pid %d) ended %s; starting another", number, pid, how)
            if time.monotonic() - started < RESTART_PAUSE_S:
                time.sleep(RESTART_PAUSE_S)
            if not self._stopping:
                self._start(number)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        self._stopping = self._stopping or number != signal.SIGHUP
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
