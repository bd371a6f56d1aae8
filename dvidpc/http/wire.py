"""Write data responses to the transport: head and body in one system call, without copying.

aiohttp writes the head and each part with a call of its own, or copies them together. For a block in memory,
that costs as much as everything else.  (aiohttp/http_writer.py, 3.14.5)
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from functools import lru_cache
from typing import Final, TypeAlias

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.http import SERVER_SOFTWARE

from dvidpc.http.aiohttp_internals import SentResponse, count_bytes_sent
from dvidpc.http.cors import CORS

Part: TypeAlias = bytes | memoryview

DRAINING: Final = web.AppKey("draining", asyncio.Event)
"""Set when the server begins to stop: from then on each response closes its connection, so that no client
sends another request at the moment when idle connections are closed."""

_AT_ONCE: Final = 256 * 1024
"""Bytes to hand to the transport before waiting for the client to catch up."""


class Wire:
    """Writes one 200 response with a body. The head is sent together with the first part.

    Args:
        request: The request to answer; not HEAD.
        headers: The headers that describe the body, without its length and without those of every response.
        size: The size of the body in bytes; None if it is not known beforehand.
    """

    def __init__(self, request: web.Request, headers: Mapping[str, str], size: int | None) -> None:
        self._request = request
        version = request.version
        is_modern = version >= HttpVersion11
        self._is_chunked = size is None and is_modern
        self._keep = request.keep_alive and (is_modern or size is not None) and not is_draining(request)
        head = f"HTTP/{version.major}.{version.minor} 200 OK\r\nDate: {_http_date(int(time.time()))}\r\n"
        if size is not None:
            head += f"Content-Length: {size}\r\n"
        elif is_modern:
            head += "Transfer-Encoding: chunked\r\n"
        if self._keep is not is_modern:
            head += f"Connection: {'keep-alive' if self._keep else 'close'}\r\n"
        fields = {**headers, **request.app[CORS].headers_for(request), hdrs.SERVER: SERVER_SOFTWARE}
        lines = _lines(tuple(fields.items()))
        self._unsent: list[Part] = [f"{head}{lines}\r\n".encode()]

    async def write(self, parts: Sequence[Part]) -> None:
        """Write *parts*, and wait while the client is reading slowly.

        Raises:
            ConnectionError: The client has disconnected.
        """
        size = 0
        batch: list[Part] = []
        for part in parts:
            batch.append(part)
            size += len(part)
            if size >= _AT_ONCE:
                await self._write(batch, size)
                batch, size = [], 0
        if size:
            await self._write(batch, size)

    async def end(self) -> None:
        """Finish the response.

        Raises:
            ConnectionError: The client has disconnected.
        """
        if self._is_chunked:
            self._unsent.append(b"0\r\n\r\n")
        if self._unsent:
            await self._hand_over(self._unsent, 0)
            self._unsent = []

    @property
    def answer(self) -> web.StreamResponse:
        """The response for the handler to return; aiohttp writes nothing more for it."""
        return _KEPT if self._keep else _CLOSED

    async def _write(self, parts: Sequence[Part], size: int) -> None:
        if self._is_chunked:
            parts = (b"%x\r\n" % size, *parts, b"\r\n")
        if self._unsent:
            parts = (*self._unsent, *parts)
            self._unsent = []
        await self._hand_over(parts, size)

    async def _hand_over(self, parts: Sequence[Part], size: int) -> None:
        transport = self._request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has disconnected")
        transport.writelines(parts)
        count_bytes_sent(self._request, size)
        await self._request.writer.drain()


_KEPT: Final = SentResponse(keep_alive=True)
_CLOSED: Final = SentResponse(keep_alive=False)


def is_draining(request: web.Request) -> bool:
    """Return whether the connection has to be closed after the response, because the server stops."""
    draining = request.app.get(DRAINING)
    return draining is not None and draining.is_set()


@lru_cache(16)
def _lines(headers: tuple[tuple[str, str], ...]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers])


@lru_cache(1)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)
