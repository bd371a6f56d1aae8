"""Decode chunks in child processes with decoders that can crash on damaged data."""

import resource
import signal
import threading
from typing import TYPE_CHECKING, Final

from dvidpc.errors import FormatError, OverloadedError
from dvidpc.formats.codec import ChunkShape, decode_chunk
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.precomputed.info import Encoding

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

DECODE_TIMEOUT_S: Final = 30.0
"""Timeout for decoding one chunk."""

_RETRY_AFTER_S = 2
_MAX_MEMORY = 8 * 2**30
"""Memory limit of a child in bytes. Headers are checked before, but not every length is in a header."""


class Isolation:
    """Child processes that decode chunks, one for each concurrent decode. Any thread may call it.

    compresso 3.3.3, crackle 0.55.0 and fpzip 1.2.5 crash on some damaged chunks (segmentation fault).
    A crash costs the chunk and a child, which is replaced.
    """

    def __init__(self) -> None:
        self._idle: list[_Child] = []
        self._lock = threading.Lock()

    def decode(self, data: bytes, encoding: Encoding, shape: ChunkShape) -> Voxels:
        """Decode like `decode_chunk`; block until the child has answered.

        Raises:
            FormatError: *data* is damaged, or its decoder crashes or times out.
            OverloadedError: The system has no file descriptor or process left for a child.
        """
        with self._lock:
            child = self._idle.pop() if self._idle else None
        child = child or _start()
        try:
            answer = child.ask(data, encoding, shape)
        except (EOFError, OSError, TimeoutError) as error:
            child.kill()
            what = "timed out" if isinstance(error, TimeoutError) else "crashed"
            raise FormatError(f"damaged {encoding} chunk: its decoder {what}") from error
        with self._lock:
            self._idle.append(child)
        if isinstance(answer, FormatError):
            raise answer
        return answer

    def close(self) -> None:
        """Kill the children. No decode may be in progress."""
        for child in self._idle:
            child.kill()
        self._idle.clear()


def _start() -> "_Child":
    try:
        return _Child()
    except OSError as error:
        raise OverloadedError(f"cannot start a process to decode in: {error}", _RETRY_AFTER_S) from error


class _Child:
    """A process that decodes one chunk after the other."""

    def __init__(self) -> None:
        import multiprocessing  # noqa: PLC0415 - slow to import, and few volumes need it

        context = multiprocessing.get_context("spawn")  # fork is not safe with threads
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_answer, args=(theirs,), name="decoder", daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, data: bytes, encoding: Encoding, shape: ChunkShape) -> Voxels | FormatError:
        """Return the decoded voxels, or the error of the decoder.

        Raises:
            EOFError: The child died while decoding.
            OSError: The child died before.
            TimeoutError: The child did not answer within `DECODE_TIMEOUT_S`.
        """
        self._pipe.send((data, encoding, shape))
        if not self._pipe.poll(DECODE_TIMEOUT_S):
            raise TimeoutError
        answer: Voxels | FormatError = self._pipe.recv()
        return answer

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        self._process.close()
        self._pipe.close()


def _answer(pipe: "Connection[Voxels | FormatError, tuple[bytes, Encoding, ChunkShape]]") -> None:
    """Answer requests in the child until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    resource.setrlimit(resource.RLIMIT_DATA, (_MAX_MEMORY, _MAX_MEMORY))
    while True:
        try:
            data, encoding, shape = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            pipe.send(decode_chunk(data, encoding, shape))
        except FormatError as error:
            pipe.send(error)
        except MemoryError:
            pipe.send(FormatError(f"damaged {encoding} chunk: decoding it exceeds the memory limit"))
