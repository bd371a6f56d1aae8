"""What every request passes through: errors become answers, each is logged."""

import logging
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from dvidpc.counters import TALLY
from dvidpc.dvid.services import SERVICES
from dvidpc.errors import (
    DvidpcError,
    FormatError,
    OverloadedError,
    RequestError,
    StoreError,
    StoreTimeoutError,
    TooLargeError,
    UnauthorizedError,
)

log = logging.getLogger(__name__)

STATUS: Final[Mapping[type[DvidpcError], int]] = MappingProxyType(
    {
        RequestError: 400,
        TooLargeError: 413,
        UnauthorizedError: 401,
        FormatError: 502,
        OverloadedError: 503,
        StoreError: 503,
        StoreTimeoutError: 504,
    }
)
"""Which status says what went wrong; an error not listed has that of its nearest base."""

_RETRY_AFTER_S = 2
_SHOWN = 200


def status_of(error: DvidpcError) -> int:
    """The status that answers *error*."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def plain_error(status: int, text: str) -> web.Response:
    """An error as DVID writes one: plain text, which no browser takes for anything else.

    Never JSON: NeuTu reads a JSON body as configuration whatever the status.
    """
    headers = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    if status == web.HTTPServiceUnavailable.status_code:
        headers["Retry-After"] = str(_RETRY_AFTER_S)
    return web.Response(status=status, body=text.encode(errors="replace"), headers=headers)


def answer_error(request: web.Request, error: DvidpcError) -> web.Response:
    """The answer to a request that failed before its status line was out.

    The body is DVID's: the message, the path without its query, a full stop.  (web.go:1068, 3400c2cb)
    """
    response = plain_error(status_of(error), f"{error} ({request.path}).\n")
    if isinstance(error, OverloadedError):
        response.headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, UnauthorizedError):
        response.headers["WWW-Authenticate"] = 'Bearer realm="dvidpc"'
    return response


@web.middleware
async def rim(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer in DVID's words whatever a handler raises, and have every request noted, however it ends."""
    journal = request.app[SERVICES].journal
    started = time.perf_counter()
    tally = journal.begin(request)
    response = None
    try:
        response = await _answer(request, handler)
        if response.status >= web.HTTPBadRequest.status_code and not response.prepared:
            response.headers["X-Request-Id"] = tally.request_id
        return response
    finally:
        journal.end(request, tally, response, started)


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except DvidpcError as error:
        response = answer_error(request, error)
        if response.status >= web.HTTPInternalServerError.status_code:
            log.error("request %s, %s: %s", TALLY.get().request_id, request.path[:_SHOWN], error)
        return response
    except web.HTTPException as error:
        # A path nobody serves, or a verb it does not take: DVID answers both alike.
        return plain_error(404, "404 page not found\n") if error.status in {404, 405} else error
    except ConnectionError:
        raise  # the client has left
    except MemoryError:
        request.app[SERVICES].shortage.make_room()
        log.error("request %s, %s: out of memory", TALLY.get().request_id, request.path[:_SHOWN])
        return answer_error(request, OverloadedError("out of memory; try again soon", _RETRY_AFTER_S))
    except Exception:
        log.exception("%s %s failed; this is a bug of dvidpc", request.method, request.path[:_SHOWN])
        return plain_error(500, f"internal error ({request.path}).\n")
