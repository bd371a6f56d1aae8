"""Writes answers of data to the connection: what lies in memory goes out by one system call, not copied.

aiohttp writes the head, then part after part, each by a call of its own, or copies them into one; for a
block in memory that is as much work as all the rest. (aiohttp/http_writer.py, 3.14.5)
"""

import time
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from functools import lru_cache
from typing import Final, TypeAlias

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import SERVER_SOFTWARE

from dvidpc.http.cors import CORS

Part: TypeAlias = bytes | memoryview

_AT_ONCE: Final = 256 * 1024
"""Bytes handed over before it is looked whether the client takes them."""


class Wire:
    """The connection of a request, for one answer 200 with a body. Nothing is written before the first part.

    Args:
        request: What is answered; not HEAD.
        headers: All that is said of the body, but for its length and what every answer says.
        size: Bytes of the body; None if that is not known beforehand.
    """

    def __init__(self, request: web.Request, headers: Mapping[str, str], size: int | None) -> None:
        self._request = request
        version = request.version
        is_modern = version >= HttpVersion11
        self._is_chunked = size is None and is_modern
        self._keep = request.keep_alive and (is_modern or size is not None)
        head = f"HTTP/{version.major}.{version.minor} 200 OK\r\nDate: {_http_date(int(time.time()))}\r\n"
        if size is not None:
            head += f"Content-Length: {size}\r\n"
        elif is_modern:
            head += "Transfer-Encoding: chunked\r\n"
        if self._keep is not is_modern:
            head += f"Connection: {'keep-alive' if self._keep else 'close'}\r\n"
        said = {**headers, **request.app[CORS].headers_for(request), hdrs.SERVER: SERVER_SOFTWARE}
        lines = _lines(tuple(said.items()))
        self._unsent: list[Part] = [f"{head}{lines}\r\n".encode()]

    async def write(self, parts: Sequence[Part]) -> None:
        """Write *parts*, and wait while the client is behind.

        Raises:
            ConnectionError: The client has left.
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
        """Say that this was all.

        Raises:
            ConnectionError: The client has left.
        """
        if self._is_chunked:
            self._unsent.append(b"0\r\n\r\n")
        if self._unsent:
            await self._hand_over(self._unsent, 0)
            self._unsent = []

    @property
    def answer(self) -> web.StreamResponse:
        """What a handler returns: aiohttp has nothing left to write of it."""
        return _KEPT if self._keep else _CLOSED

    async def _write(self, parts: Sequence[Part], size: int) -> None:
        if self._is_chunked:
            parts = (b"%x\r\n" % size, *parts, b"\r\n")
        if self._unsent:
            parts = (*self._unsent, *parts)
            self._unsent = []
        await self._hand_over(parts, size)

    async def _hand_over(self, parts: Sequence[Part], size: int) -> None:
        transport, writer = self._request.transport, self._request.writer
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has left")
        transport.writelines(parts)
        writer.output_size += size
        await writer.drain()


class _Written(web.StreamResponse):
    """An answer that is out, as aiohttp sees it."""

    def __init__(self, *, keep_alive: bool) -> None:
        super().__init__()
        self._keeps_alive = keep_alive

    @property
    def prepared(self) -> bool:
        return True

    @property
    def keep_alive(self) -> bool:
        return self._keeps_alive

    async def prepare(self, _request: web.BaseRequest) -> AbstractStreamWriter | None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        pass


_KEPT: Final = _Written(keep_alive=True)
_CLOSED: Final = _Written(keep_alive=False)


@lru_cache(16)
def _lines(headers: tuple[tuple[str, str], ...]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers])


@lru_cache(1)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)
