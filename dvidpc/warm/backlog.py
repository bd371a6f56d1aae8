"""Keeps reads from outrunning the disk: what the disk cache cannot queue, it drops."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

MOST_BYTES: Final = 48 * 2**20
"""Bytes that may be read or wait to be written; the disk cache drops what waits beyond 64 MiB."""


class Backlog:
    """Bytes that are being read, and those that wait to be written.

    Args:
        flush: Waits until everything that waits is written.
        most: How many bytes there may be; one read may have more if there is nothing else.
    """

    def __init__(self, flush: Callable[[], Awaitable[None]], most: int = MOST_BYTES) -> None:
        self._flush = flush
        self._most = most
        self._reading = 0
        self._queued = 0
        self._turn = asyncio.Lock()
        self._ended = asyncio.Event()

    async def begin(self, nbytes: int) -> None:
        """Wait until *nbytes* may be read; call `end` once they are."""
        async with self._turn:
            while self._reading + self._queued and self._reading + self._queued + nbytes > self._most:
                if self._queued:
                    written = self._queued
                    await self._flush()
                    self._queued -= written
                else:
                    self._ended.clear()
                    await self._ended.wait()
            self._reading += nbytes

    def end(self, nbytes: int, queued: int) -> None:
        """Note that the read of *nbytes* has ended, and that *queued* bytes of it wait to be written."""
        self._reading -= nbytes
        self._queued += queued
        self._ended.set()
