"""Write data responses to the transport: head and body in one system call, without copying.

aiohttp writes the head and each part with a call of its own, or copies them together. For a block in memory,
that costs as much as everything else.  (aiohttp/http_writer.py, 3.14.5)
"""

import asyncio
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from functools import lru_cache
from typing import Final, TypeAlias

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.http import SERVER_SOFTWARE

from dvidpc.errors import RequestError
from dvidpc.http.aiohttp_internals import SentResponse, count_bytes_sent
from dvidpc.http.cors import CORS

Part: TypeAlias = bytes | memoryview

DRAINING: Final = web.AppKey("draining", asyncio.Event)
"""Set when the server begins to stop: from then on each response closes its connection, so that no client
sends another request at the moment when idle connections are closed."""

_AT_ONCE: Final = 256 * 1024
"""Bytes to hand to the transport before waiting for the client to catch up."""
_RESET: Final = struct.pack("ii", 1, 0)
"""Lingers for no time: closing the connection resets it."""
_END: Final = struct.pack("ii", 0, 0)
"""Does not linger: closing the connection sends what is left, and ends it."""


class Wire:
    """Writes one 200 response with a body. The head is sent together with the first part.

    Args:
        request: The request to answer; not HEAD.
        headers: The headers that describe the body, without its length and without those of every response.
        size: The size of the body in bytes; None if it is not known beforehand.

    Raises:
        RequestError: The client could not tell a response that is cut off from a complete one.
    """

    def __init__(self, request: web.Request, headers: Mapping[str, str], size: int | None) -> None:
        self._request = request
        version = request.version
        is_modern = version >= HttpVersion11
        self._is_chunked = size is None and is_modern
        self._keep = request.keep_alive and (is_modern or size is not None) and not is_draining(request)
        self._ends_by_closing = size is None and not is_modern
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
        if self._ends_by_closing:
            self._refuse_if_cut_cannot_be_seen()
            self._reset_when_closed(active=True)

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
        if self._ends_by_closing:
            self._reset_when_closed(active=False)

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

    def _refuse_if_cut_cannot_be_seen(self) -> None:
        """Refuse to stream to a client of HTTP/1.0 at a socket in the file system: that cannot be reset.

        Raises:
            RequestError: The connection is such a one.
        """
        transport = self._request.transport
        connection = None if transport is None else transport.get_extra_info("socket")
        if connection is not None and connection.family == socket.AF_UNIX:
            raise RequestError(
                "by HTTP/1.0 at a socket in the file system, an answer that is cut off would look complete; "
                "let the proxy speak HTTP/1.1 (nginx: proxy_http_version 1.1)"
            )

    def _reset_when_closed(self, *, active: bool) -> None:
        """Choose what the client sees if the connection is closed now, by whatever: a reset, or an end.

        With HTTP/1.0 a body of unknown size ends with the connection. nginx speaks HTTP/1.0 to us unless it
        is configured otherwise, and would pass on as complete what was cut off.
        """
        transport = self._request.transport
        connection = None if transport is None else transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET if active else _END)

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
