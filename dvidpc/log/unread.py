"""Write to stderr without waiting for its reader.

A log driver of a container, a terminal after Ctrl-S or a service manager may stop reading. A plain write
would wait for it once the pipe is full, and the event loop with it.
"""

import os
import select
import stat
import sys
import time
from contextlib import suppress
from typing import Final, TextIO

MOST_HELD: Final = 2**20
"""Bytes that are kept for a reader that does not read; what exceeds them is lost."""
PATIENCE_S: Final = 1.0
"""How long the end of the process waits for the reader."""
_PIECE: Final = select.PIPE_BUF
"""Bytes that a pipe takes without waiting once it is ready."""


class StderrWriter:
    """Writes to stderr; keeps up to `MOST_HELD` bytes while nobody reads, and then counts what is lost."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._lost = 0
        self._opened: tuple[int, int] | None = None
        """The descriptor of stderr, and our own way to the same pipe; None before the first write."""

    def write(self, text: str) -> None:
        """Write *text*, or keep it for the next call; do nothing if the process has no stderr.

        Raises:
            OSError: stderr cannot be written.
            ValueError: stderr is closed.
        """
        if sys.stderr is None:
            return
        descriptor = self._descriptor_of(sys.stderr)
        if descriptor is None:
            sys.stderr.write(text)
            sys.stderr.flush()
            return
        self._send(descriptor)
        if not self._held:
            self._hold_loss()
        line = text.encode(errors="backslashreplace")
        if self._held and (self._lost or len(self._held) + len(line) > MOST_HELD):
            self._lost += text.count("\n")
            return
        self._held += line
        self._send(descriptor)

    def close(self) -> None:
        """Write what is held, and wait for the reader for `PATIENCE_S` at most."""
        if self._opened is None:
            return
        stderr, own = self._opened
        self._hold_loss()
        with suppress(OSError):
            self._send(own, wait_s=PATIENCE_S)
        if own != stderr:
            with suppress(OSError):
                os.close(own)
        self._opened = None

    def _hold_loss(self) -> None:
        if self._lost:
            self._held += f"{self._lost} lines of the log were lost: stderr was not read\n".encode()
            self._lost = 0

    def _send(self, descriptor: int, *, wait_s: float = 0.0) -> None:
        deadline = time.monotonic() + wait_s
        try:
            while self._held and _is_ready(descriptor, deadline - time.monotonic()):
                del self._held[: os.write(descriptor, self._held[:_PIECE])]
        except BlockingIOError:
            return  # another process was faster
        except OSError:
            self._held.clear()
            raise

    def _descriptor_of(self, stream: TextIO) -> int | None:
        """Return where to write; None for a stream that is no file."""
        try:
            stderr = stream.fileno()
        except OSError:  # io.UnsupportedOperation
            return None
        if self._opened is None or self._opened[0] != stderr:
            self._opened = stderr, _reopen(stderr)
        return self._opened[1]


def _reopen(descriptor: int) -> int:
    """Return a descriptor of the same pipe that never waits; *descriptor* itself if that is not possible.

    The flag cannot be set on *descriptor*: other processes share it.
    """
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return descriptor
    try:
        return os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # another user's pipe, or no /proc
        return descriptor


def _is_ready(descriptor: int, wait_s: float) -> bool:
    """Return whether a write would not wait; errors count as ready, so that the write reports them."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(max(0.0, wait_s) * 1000))
