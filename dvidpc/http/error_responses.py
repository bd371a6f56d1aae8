"""Map errors to HTTP statuses and to the plain-text responses that DVID clients expect."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from aiohttp import web

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

RETRY_AFTER_S: Final = 2
"""The `Retry-After` of a 503 whose error does not name another."""

_STATUS: Final[Mapping[type[DvidpcError], int]] = MappingProxyType(
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
"""The status of each error; an error that is not listed has the status of its nearest base class."""


def status_of(error: DvidpcError) -> int:
    """Return the HTTP status for *error*."""
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)


def plain_error(status: int, text: str) -> web.Response:
    """Return an error response in DVID's form: plain text that browsers do not interpret.

    The body is never JSON: NeuTu reads a JSON body as configuration, whatever the status.
    """
    headers = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
    if status == web.HTTPServiceUnavailable.status_code:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return web.Response(status=status, body=text.encode(errors="replace"), headers=headers)


def answer_error(request: web.Request, error: DvidpcError) -> web.Response:
    """Return the response to *request* that failed with *error* before its status line was sent.

    The body is DVID's: the message, the path without its query, a full stop.  (web.go:1068, 3400c2cb)
    """
    response = plain_error(status_of(error), f"{error} ({request.path}).\n")
    if isinstance(error, OverloadedError):
        response.headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, UnauthorizedError):
        response.headers["WWW-Authenticate"] = 'Bearer realm="dvidpc"'
    return response
