"""Set the CORS headers, which let web pages of other origins read responses: `corsDomains`, `allowTiming`.

Without these headers a page cannot read even the status. So they are on every response, including errors and
the responses to malformed requests, which reach no handler.
"""

from collections.abc import Collection, Mapping
from typing import Final

from aiohttp import hdrs, web

from dvidpc.http.aiohttp_internals import prepare_unparsed

_ANY = "*"
_PRIVATE_NETWORK = "Access-Control-Request-Private-Network"

_PREFLIGHT: Final[Mapping[str, str]] = {
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, HEAD, OPTIONS, POST",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "Authorization, Cache-Control, Content-Type, If-None-Match, Range",
    hdrs.ACCESS_CONTROL_MAX_AGE: "86400",
}
_EXPOSED = "Content-Length, Content-Range, ETag, Retry-After, X-Request-Id"


class Cors:
    """The CORS headers of one configuration."""

    def __init__(self, origins: Collection[str], *, allow_timing: bool) -> None:
        """Allow pages of *origins*, each as a browser writes it (`https://example.org`).

        An empty collection allows every origin: neuroglancer and dvid-console, wherever they are hosted, must
        be able to read what is public. DVID allows none.
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
        """Return the headers for every response to *request*."""
        if _ANY in self._origins or not self._allows(request):
            return self._fixed
        return {**self._fixed, hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: request.headers[hdrs.ORIGIN]}

    async def on_prepare(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Add the headers to *response*; an `on_response_prepare` signal handler."""
        response.headers.update(self.headers_for(request))

    def answer_preflight(self, request: web.Request) -> web.Response | None:
        """Return the response to a CORS preflight; None if *request* is not a preflight.

        A preflight succeeds for any path; whether the path exists is for the request itself to find out.
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
        """Make *server* send the headers on its responses to malformed requests, too."""
        prepare_unparsed(server, self._on_prepare_unparsed)

    async def _on_prepare_unparsed(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        response.headers["X-Content-Type-Options"] = "nosniff"
        await self.on_prepare(request, response)


CORS: Final = web.AppKey("cors", Cors)
