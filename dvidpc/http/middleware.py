"""The outermost middleware: turns errors into responses and logs every request."""

import logging
import time
from collections.abc import Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from dvidpc.counters import TALLY
from dvidpc.errors import DvidpcError, OverloadedError
from dvidpc.http.access_log import AccessLog
from dvidpc.http.error_responses import RETRY_AFTER_S, answer_error, plain_error
from dvidpc.http.wire import is_draining
from dvidpc.threads import is_shortage

log = logging.getLogger(__name__)

_SHOWN: Final = 200
"""Characters of a path that a log line shows."""


def make_middleware(access_log: AccessLog, make_room: Callable[[], None]) -> Middleware:
    """Return the middleware that every request passes through first.

    Args:
        access_log: Where each request is logged and counted, however it ends.
        make_room: Frees memory; called when a handler runs out of it.
    """

    @web.middleware
    async def outermost(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        tally = access_log.begin(request)
        response = None
        try:
            response = await _answer(request, handler, make_room)
            if not response.prepared and is_draining(request):
                response.force_close()
            if response.status >= web.HTTPBadRequest.status_code and not response.prepared:
                response.headers["X-Request-Id"] = tally.request_id
            return response
        finally:
            access_log.end(request, tally, response, started)

    return outermost


async def _answer(
    request: web.Request, handler: Handler, make_room: Callable[[], None]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except DvidpcError as error:
        response = answer_error(request, error)
        if response.status >= web.HTTPInternalServerError.status_code:
            log.error("request failed: %s %s: %s", TALLY.get().request_id, request.path[:_SHOWN], error)
        return response
    except web.HTTPException as error:
        # DVID answers an unknown path and an unsupported method with the same text.
        return plain_error(404, "404 page not found\n") if error.status in {404, 405} else _response_of(error)
    except ConnectionError:
        raise  # the client has disconnected
    except MemoryError:
        make_room()
        log.error("request failed: %s %s: out of memory", TALLY.get().request_id, request.path[:_SHOWN])
        return answer_error(request, OverloadedError("out of memory; try again soon", RETRY_AFTER_S))
    except Exception as error:  # the outermost rim: a bug in one handler must not take the connection down
        if is_shortage(error):
            return _answer_shortage(request)
        log.exception("%s %s failed; this is a bug in dvidpc", request.method, request.path[:_SHOWN])
        return plain_error(500, f"internal error ({request.path}).\n")


def _answer_shortage(request: web.Request) -> web.Response:
    error = OverloadedError(
        "the system gives this server no more threads; raise its limit of processes (ulimit -u, pids)",
        RETRY_AFTER_S,
    )
    log.error("request failed: %s %s: %s", TALLY.get().request_id, request.path[:_SHOWN], error)
    return answer_error(request, error)


def _response_of(error: web.HTTPException) -> web.Response:
    """Return *error* as a plain response, because aiohttp deprecates returning the exception itself."""
    return web.Response(status=error.status, reason=error.reason, headers=error.headers, body=error.body)
