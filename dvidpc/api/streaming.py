"""Answers that are sent while they are made, and never look whole when they are not."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiohttp import hdrs, web

from dvidpc.errors import DvidpcError

log = logging.getLogger(__name__)

OCTETS = "application/octet-stream"


async def stream(
    request: web.Request, parts: AsyncGenerator[bytes, None], size: int | None = None
) -> web.StreamResponse:
    """Answer with *parts*, one after the other, as fast as the client takes them.

    The first part is in hand before the status line goes out, so that what fails at once is answered
    with an error. What fails later cuts the connection: no text may stand among the parts, and no end
    may look clean.

    Args:
        request: What is answered; HEAD gets no body, and nothing is made for it.
        parts: The body; closed in any case.
        size: Bytes of the body; None if that is not known beforehand.
    """
    async with aclosing(parts):
        headers = {hdrs.CONTENT_TYPE: OCTETS}
        if size is not None:
            headers[hdrs.CONTENT_LENGTH] = str(size)
        if request.method == hdrs.METH_HEAD:
            return web.Response(headers=headers)
        first = await anext(parts, None)
        if first is None:
            return web.Response(headers=headers)
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        try:
            await response.write(first)
            async for part in parts:
                await response.write(part)
        except DvidpcError as error:
            log.error("%s cut off: %s", request.path, error)
            cut_off(request)
        except ConnectionError:
            raise  # the client has left
        except Exception:
            log.exception("%s cut off; this is a bug of dvidpc", request.path)
            cut_off(request)
    return response


def cut_off(request: web.Request) -> None:
    """End the connection at once, so that the client cannot take the answer for a whole one."""
    if request.transport is not None:
        request.transport.abort()
