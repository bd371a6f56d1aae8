"""Decodes in other processes what hostile bytes could end the process by."""

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

LONGEST_S: Final = 30.0
"""Seconds after which decoding one chunk is given up."""

_RETRY_AFTER_S = 2
_MOST_MEMORY = 8 * 2**30
"""Bytes a child may hold; headers are checked before, but not every length in a chunk is in its header."""


class Isolation:
    """Child processes that decode chunks, as many as are used at a time; any thread may call it.

    compresso 3.3.3, crackle 0.55.0 and fpzip 1.2.5 end the process on some damaged chunks (segmentation
    fault). Here that costs a child, which is replaced, and the one chunk.
    """

    def __init__(self) -> None:
        self._idle: list[_Child] = []
        self._lock = threading.Lock()

    def decode(self, data: bytes, encoding: Encoding, shape: ChunkShape) -> Voxels:
        """As `decode_chunk`; blocks until the child has answered.

        Raises:
            FormatError: *data* is damaged, or no child survives decoding it.
            OverloadedError: No child can be started: there is no descriptor, or no process, to be had.
        """
        with self._lock:
            child = self._idle.pop() if self._idle else None
        child = child or _start()
        try:
            answer = child.ask(data, encoding, shape)
        except (EOFError, OSError, TimeoutError) as error:
            child.kill()
            what = "takes too long" if isinstance(error, TimeoutError) else "crashes"
            raise FormatError(f"damaged {encoding} chunk: its decoder {what}") from error
        with self._lock:
            self._idle.append(child)
        if isinstance(answer, FormatError):
            raise answer
        return answer

    def close(self) -> None:
        """End the children; nobody may be decoding."""
        for child in self._idle:
            child.kill()
        self._idle.clear()


def _start() -> "_Child":
    try:
        return _Child()
    except OSError as error:
        raise OverloadedError(f"cannot start a process to decode in: {error}", _RETRY_AFTER_S) from error


class _Child:
    """A process that decodes what it is sent, one chunk after the other."""

    def __init__(self) -> None:
        import multiprocessing  # noqa: PLC0415 - slow to import, and few volumes need it

        context = multiprocessing.get_context("spawn")  # fork is not safe where there are threads
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_answer, args=(theirs,), name="decoder", daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, data: bytes, encoding: Encoding, shape: ChunkShape) -> Voxels | FormatError:
        """What decoding gives.

        Raises:
            EOFError: The child is gone; or OSError, if it went before it was asked.
            TimeoutError: It does not answer.
        """
        self._pipe.send((data, encoding, shape))
        if not self._pipe.poll(LONGEST_S):
            raise TimeoutError
        answer: Voxels | FormatError = self._pipe.recv()
        return answer

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        self._process.close()
        self._pipe.close()


def _answer(pipe: "Connection[Voxels | FormatError, tuple[bytes, Encoding, ChunkShape]]") -> None:
    """What the child does, until its parent goes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for the parent to hear
    resource.setrlimit(resource.RLIMIT_DATA, (_MOST_MEMORY, _MOST_MEMORY))
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
            pipe.send(FormatError(f"damaged {encoding} chunk: it needs more memory than it may have"))
