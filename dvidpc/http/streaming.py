"""Send data responses, in one piece or as a stream; a failed stream never looks complete to the client."""

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from types import MappingProxyType
from typing import Final

from aiohttp import hdrs, web

from dvidpc.counters import TALLY
from dvidpc.errors import DvidpcError
from dvidpc.http.etags import client_has, etag_of, may_be_named, not_modified
from dvidpc.http.lifetime import cache_control_of
from dvidpc.http.wire import Part, Wire
from dvidpc.threads import is_shortage

log = logging.getLogger(__name__)

OCTETS = "application/octet-stream"

_NO_MORE: Final[Mapping[str, str]] = MappingProxyType({})

WHOLE_SIZE = 256 * 1024
"""Responses up to this many bytes are complete before anything is sent."""

_WORTH_A_WRITE: Final = 1024
"""Parts are collected up to this many bytes, so that the header of a frame is sent with its block."""


async def send(
    request: web.Request, parts: Sequence[Part], more: Mapping[str, str] = _NO_MORE
) -> web.StreamResponse:
    """Send *parts* as a response with Content-Length; no part can fail any more.

    Args:
        request: The request to answer; HEAD gets no body.
        parts: The body, in parts because joining them would copy it.
        more: Headers besides those of every data response; not for HEAD.
    """
    size = sum(map(len, parts))
    if request.method == hdrs.METH_HEAD:
        return _only_head(request, size)
    headers = _headers(request, more)
    if 0 < size <= WHOLE_SIZE and may_be_named(request):
        etag = etag_of(parts)
        if client_has(request, etag):
            return not_modified(etag, headers[hdrs.CACHE_CONTROL])
        headers[hdrs.ETAG] = f'"{etag}"'
    wire = Wire(request, headers, size)
    try:
        await wire.write(parts)
        await wire.end()
    except ConnectionError:
        TALLY.get().ending = "left"
    return wire.answer


async def stream(
    request: web.Request,
    parts: AsyncGenerator[Part, None],
    size: int | None = None,
    more: Mapping[str, str] = _NO_MORE,
) -> web.StreamResponse:
    """Send *parts* one after the other, as fast as the client reads them.

    The first WHOLE_SIZE bytes are made before the status line is sent, so that an early failure gets an error
    response. A later failure aborts the connection: an error text must not end up among the parts, and the
    response must not end cleanly.

    Args:
        request: The request to answer; for HEAD, no part is made.
        parts: The body; always closed.
        size: The size of the body in bytes; None if it is not known beforehand.
        more: Headers besides those of every data response, or in their place; not for HEAD.
    """
    async with aclosing(parts):
        if request.method == hdrs.METH_HEAD:
            return _only_head(request, size)
        beginning, is_whole = await _beginning(parts)
        if is_whole:
            return await send(request, beginning, more)
        wire = Wire(request, _headers(request, more), size)
        try:
            await wire.write(beginning)
            del beginning
            await _write_all(wire, parts)
        except ConnectionError:
            TALLY.get().ending = "left"
        except DvidpcError as error:
            log.error("response cut off: %s: %s", request.path, error)
            cut_off(request)
        except MemoryError:
            log.error("response cut off: %s: out of memory", request.path)
            cut_off(request)
        except Exception as error:
            if is_shortage(error):
                log.error("response cut off: %s: the system gives no more threads", request.path)
            else:
                log.exception("response cut off: %s; this is a bug in dvidpc", request.path)
            cut_off(request)
    return wire.answer


def _headers(request: web.Request, more: Mapping[str, str] = _NO_MORE) -> dict[str, str]:
    """Return the headers of a data response; without `Cache-Control`, a cache chooses a lifetime itself."""
    headers: dict[str, str] = {hdrs.CONTENT_TYPE: OCTETS, hdrs.CACHE_CONTROL: cache_control_of(request)}
    if more:
        headers.update(more)
    return headers


def _only_head(request: web.Request, size: int | None) -> web.Response:
    headers = _headers(request)
    if size is not None:
        headers[hdrs.CONTENT_LENGTH] = str(size)
    return web.Response(headers=headers)


async def _beginning(parts: AsyncGenerator[Part, None]) -> tuple[list[Part], bool]:
    """Return the first WHOLE_SIZE bytes of *parts* or a little more, and whether they are all of it."""
    held = []
    size = 0
    async for part in parts:
        held.append(part)
        size += len(part)
        if size >= WHOLE_SIZE:
            return held, False
    return held, True


async def _write_all(wire: Wire, parts: AsyncGenerator[Part, None]) -> None:
    held: list[Part] = []
    size = 0
    async for part in parts:
        held.append(part)
        size += len(part)
        if size >= _WORTH_A_WRITE:
            await wire.write(held)
            held, size = [], 0
    await wire.write(held)
    await wire.end()


def cut_off(request: web.Request) -> None:
    """Abort the connection, so that the client cannot mistake the response for a complete one."""
    TALLY.get().ending = "cut"
    if request.transport is not None:
        request.transport.abort()
