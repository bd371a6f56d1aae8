"""Answers in hand, sent at once: the head and all parts by one system call, and no part copied.

aiohttp writes the head, then part after part, each by a call of its own, or copies all of it into one: as
much as everything else that is done for a block in memory. (aiohttp/http_writer.py, 3.14.5)
"""

import time
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from functools import lru_cache
from typing import Final

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import SERVER_SOFTWARE

from dvidpc.api.cors import CORS
from dvidpc.tally import TALLY

_AT_ONCE: Final = 256 * 1024
"""Bytes handed over before it is looked whether the client takes them."""


class _Sent(web.StreamResponse):
    """An answer that is out: all that aiohttp need know of it."""

    @property
    def prepared(self) -> bool:
        return True

    @property
    def keep_alive(self) -> bool:
        return True

    async def prepare(self, _request: web.BaseRequest) -> AbstractStreamWriter | None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        pass


_SENT: Final = _Sent()


def can_be_sent_whole(request: web.Request) -> bool:
    """Whether `send_whole` may answer: a GET of today's HTTP, on a connection that stays open."""
    return request.method == hdrs.METH_GET and request.version == HttpVersion11 and request.keep_alive


async def send_whole(
    request: web.Request, parts: Sequence[bytes], headers: Mapping[str, str]
) -> web.StreamResponse:
    """Answer 200 with *parts*.

    Args:
        request: What is answered; `can_be_sent_whole` holds of it.
        parts: The body.
        headers: All that is said of it, its length included, but for what every answer says.
    """
    said = {
        **headers,
        **request.app[CORS].headers_for(request),
        hdrs.DATE: _http_date(int(time.time())),
        hdrs.SERVER: SERVER_SOFTWARE,
    }
    lines = [f"{name}: {value}\r\n" for name, value in said.items()]
    batch = [f"HTTP/1.1 200 OK\r\n{''.join(lines)}\r\n".encode()]
    size = 0
    try:
        for part in parts:
            batch.append(part)
            size += len(part)
            if size >= _AT_ONCE:
                await _write(request, batch, size)
                batch, size = [], 0
        if batch:
            await _write(request, batch, size)
    except ConnectionError:
        TALLY.get().ending = "left"
    return _SENT


async def _write(request: web.Request, parts: Sequence[bytes], size: int) -> None:
    """Hand over *parts*, of which *size* bytes are of the body, and wait while the client takes none."""
    transport, writer = request.transport, request.writer
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the client has left")
    transport.writelines(parts)
    writer.output_size += size
    await writer.drain()


@lru_cache(1)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)
