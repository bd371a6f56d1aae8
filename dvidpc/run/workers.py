"""Run several workers, and replace a worker that dies."""

import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

from dvidpc.errors import ConfigError
from dvidpc.log.escaping import one_line

log = logging.getLogger(__name__)

RESTART_PAUSE_S: Final = 1.0
"""Pause before a worker that died within this time after its start is replaced."""

_CONFIG_ERROR_CODE = 2


@dataclass(frozen=True, slots=True)
class Seat:
    """What the supervisor gives to a worker."""

    number: int
    """Number of the worker, starting at 0."""
    lifeline: int
    """A file descriptor that reaches its end when the supervisor ends."""


@contextlib.contextmanager
def pid_file(path: Path | None) -> Iterator[None]:
    """Write the id of this process to *path*, and remove the file at the end; do nothing if *path* is None.

    Raises:
        ConfigError: The file cannot be written.
    """
    if path is None:
        yield
        return
    try:
        path.write_text(f"{os.getpid()}\n")
    except OSError as error:
        message = f"[server] pidFile: {path} cannot be written: {error.strerror}; name another file"
        raise ConfigError(one_line(message)) from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def supervise(workers: int, run: Callable[[Seat], int]) -> int:
    """Run *run* in *workers* child processes until a signal stops them; return the exit code.

    SIGTERM, SIGINT and SIGHUP are forwarded to the workers. A worker that ends by itself is replaced, unless
    its exit code says that the configuration is wrong. Call this before any thread or event loop exists.

    Args:
        workers: Number of workers.
        run: Runs a worker and returns its exit code.
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
        for forwarded in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(forwarded, self._forward)
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
        if self._stopping:  # the signal arrived during the fork
            os.kill(pid, signal.SIGTERM)

    def _be_worker(self, number: int) -> int:
        os.close(self._held)
        os.setpgid(0, 0)  # Ctrl-C at the terminal reaches the supervisor only, which forwards it
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
            self._forward(signal.SIGTERM, None)
        else:
            how = f"by signal {-code}" if code < 0 else f"with code {code}"
            log.error("worker %d (pid %d) ended %s; starting another", number, pid, how)
            if time.monotonic() - started < RESTART_PAUSE_S:
                time.sleep(RESTART_PAUSE_S)
            if not self._stopping:
                self._start(number)

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        self._stopping = self._stopping or number != signal.SIGHUP
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
