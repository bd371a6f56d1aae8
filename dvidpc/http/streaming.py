"""Answers that are sent while they are made, and never look whole when they are not."""

import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from types import MappingProxyType
from typing import Final

from aiohttp import hdrs, web

from dvidpc.counters import TALLY
from dvidpc.errors import DvidpcError
from dvidpc.http.etags import CACHE_CONTROL, client_has, etag_of, may_be_named, not_modified
from dvidpc.http.wire import Part, Wire

log = logging.getLogger(__name__)

OCTETS = "application/octet-stream"

_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {hdrs.CONTENT_TYPE: OCTETS, hdrs.CACHE_CONTROL: CACHE_CONTROL}
)
"""Of every answer, named by an ETag or not: without the second a cache may guess for how long it holds."""

WHOLE_SIZE = 256 * 1024
"""Bytes up to which an answer is made before it is sent."""

_WORTH_A_WRITE: Final = 1024
"""Bytes below which parts wait for the next: the head of a frame goes with its block."""


async def send(request: web.Request, parts: Sequence[Part]) -> web.StreamResponse:
    """Answer with *parts*, all of them in hand: the client learns the size, and nothing can fail.

    Args:
        request: What is answered; HEAD gets no body.
        parts: The body; not joined, since that would copy it.
    """
    size = sum(map(len, parts))
    if request.method == hdrs.METH_HEAD:
        return _only_head(size)
    headers = _HEADERS
    if 0 < size <= WHOLE_SIZE and may_be_named(request):
        etag = etag_of(parts)
        if client_has(request, etag):
            return not_modified(etag)
        headers = {**_HEADERS, hdrs.ETAG: f'"{etag}"'}
    wire = Wire(request, headers, size)
    try:
        await wire.write(parts)
        await wire.end()
    except ConnectionError:
        TALLY.get().ending = "left"
    return wire.answer


async def stream(
    request: web.Request, parts: AsyncGenerator[Part, None], size: int | None = None
) -> web.StreamResponse:
    """Answer with *parts*, one after the other, as fast as the client takes them.

    A small answer is made whole before its status line goes out, and of a large one the beginning, so
    that what fails early is answered with an error. What fails later cuts the connection: no text may
    stand among the parts, and no end may look clean.

    Args:
        request: What is answered; HEAD gets no body, and nothing is made for it.
        parts: The body; closed in any case.
        size: Bytes of the body; None if that is not known beforehand.
    """
    async with aclosing(parts):
        if request.method == hdrs.METH_HEAD:
            return _only_head(size)
        beginning, is_whole = await _beginning(parts)
        if is_whole:
            return await send(request, beginning)
        wire = Wire(request, _HEADERS, size)
        try:
            await wire.write(beginning)
            del beginning
            await _write_all(wire, parts)
        except ConnectionError:
            TALLY.get().ending = "left"
        except DvidpcError as error:
            log.error("%s cut off: %s", request.path, error)
            cut_off(request)
        except MemoryError:
            log.error("%s cut off: out of memory", request.path)
            cut_off(request)
        except Exception:
            log.exception("%s cut off; this is a bug of dvidpc", request.path)
            cut_off(request)
    return wire.answer


def _only_head(size: int | None) -> web.Response:
    headers = dict(_HEADERS)
    if size is not None:
        headers[hdrs.CONTENT_LENGTH] = str(size)
    return web.Response(headers=headers)


async def _beginning(parts: AsyncGenerator[Part, None]) -> tuple[list[Part], bool]:
    """The first of *parts*, WHOLE_SIZE bytes or a little more, and whether they are all there are."""
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
    """End the connection at once, so that the client cannot take the answer for a whole one."""
    TALLY.get().ending = "cut"
    if request.transport is not None:
        request.transport.abort()
