"""Which pages in a browser may read the answers: `corsDomains`, `allowTiming`.

An answer without these headers tells a page nothing, not even its status; so they stand on every one,
errors included, and on those to requests so broken that no handler sees them.
"""

import asyncio
from collections.abc import Collection, Mapping
from typing import Final

from aiohttp import StreamReader, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.web_protocol import ERROR

_ANY = "*"
_PRIVATE_NETWORK = "Access-Control-Request-Private-Network"

_PREFLIGHT: Final[Mapping[str, str]] = {
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, HEAD, OPTIONS, POST",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "Authorization, Cache-Control, Content-Type, If-None-Match, Range",
    hdrs.ACCESS_CONTROL_MAX_AGE: "86400",
}
_EXPOSED = "Content-Length, Content-Range, ETag, Retry-After, X-Request-Id"


class Cors:
    """What is sent for pages of other origins."""

    def __init__(self, origins: Collection[str], *, allow_timing: bool) -> None:
        """Let pages of *origins* read, each as a browser writes it (`https://example.org`).

        None named lets all read: neuroglancer and dvid-console, from wherever they are served, must be
        able to read what everybody may read; DVID lets none.
        """
        self._origins = frozenset(origin.rstrip("/") for origin in origins or {_ANY})
        self._fixed: dict[str, str] = {hdrs.ACCESS_CONTROL_EXPOSE_HEADERS: _EXPOSED}
        if _ANY in self._origins:
            self._fixed[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = _ANY
        else:
            self._fixed[hdrs.VARY] = hdrs.ORIGIN
        if allow_timing:
            self._fixed["Timing-Allow-Origin"] = _ANY

    def headers_for(self, request: web.BaseRequest) -> Mapping[str, str]:
        """What stands on every answer to *request*."""
        if _ANY in self._origins or not self._allows(request):
            return self._fixed
        return {**self._fixed, hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: request.headers[hdrs.ORIGIN]}

    async def on_prepare(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Add the headers; run as each answer of aiohttp's starts."""
        response.headers.update(self.headers_for(request))

    def answer_preflight(self, request: web.Request) -> web.Response | None:
        """The answer to a browser that asks whether it may ask; None: *request* is something else.

        It may, whatever the path: what it gets is then for the request itself to find out.
        """
        if request.method != hdrs.METH_OPTIONS or hdrs.ACCESS_CONTROL_REQUEST_METHOD not in request.headers:
            return None
        headers: dict[str, str] = {**_PREFLIGHT}
        if request.headers.get(_PRIVATE_NETWORK) == "true" and self._allows(request):
            headers["Access-Control-Allow-Private-Network"] = "true"
        return web.Response(status=204, headers=headers)

    def _allows(self, request: web.BaseRequest) -> bool:
        return _ANY in self._origins or request.headers.get(hdrs.ORIGIN) in self._origins

    def cover_unparsed(self, server: web.Server) -> None:
        """Have *server* send the headers with its answers to requests that it could not read, too.

        aiohttp answers those without asking the application, so no signal of it runs.
        """
        make_request = server.request_factory
        on_prepare = self.on_prepare

        class Unparsed(web.BaseRequest):
            """A request of which nothing is known."""

            async def _prepare_hook(self, response: web.StreamResponse) -> None:
                response.headers["X-Content-Type-Options"] = "nosniff"
                await on_prepare(self, response)

        def make(
            message: RawRequestMessage,
            payload: StreamReader,
            protocol: web.RequestHandler,
            writer: AbstractStreamWriter,
            task: "asyncio.Task[None]",
        ) -> web.BaseRequest:
            if message is ERROR:
                return Unparsed(message, payload, protocol, writer, task, asyncio.get_running_loop())
            return make_request(message, payload, protocol, writer, task)

        server.request_factory = make


CORS: Final = web.AppKey("cors", Cors)
