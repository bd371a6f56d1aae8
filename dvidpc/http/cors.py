"""Set the CORS headers, which let web pages of other origins read responses: `corsDomains`, `allowTiming`.

Without these headers a page cannot read even the status. So they are on every response that a page may read,
including errors and the responses to malformed requests, which reach no handler.
"""

import json
import logging
import re
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple, Protocol

from aiohttp import hdrs, web

from dvidpc.http.aiohttp_internals import prepare_unparsed
from dvidpc.http.loopback import is_loopback_origin
from dvidpc.http.once import Once

log = logging.getLogger(__name__)

_ANY = "*"
_NOWHERE: Final = "null"
"""The origin of a page that has none. `corsDomains` should not name it: any page can make such a frame."""
_PRIVATE_NETWORK = "Access-Control-Request-Private-Network"

_PREFLIGHT: Final[Mapping[str, str]] = {
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, HEAD, OPTIONS, POST",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: "Authorization, Cache-Control, Content-Type, If-None-Match, Range",
    hdrs.ACCESS_CONTROL_MAX_AGE: "86400",
}
_EXPOSED = "Content-Length, Content-Range, ETag, Retry-After, X-Request-Id"
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]{0,30}://[a-z0-9.:\[\]_-]{1,200}", re.ASCII)
"""An origin that can be written into the configuration, as browsers write it."""


class Refusal(NamedTuple):
    """An origin whose pages were refused."""

    origin: str
    line: str
    """The line of `[server]` that would allow it."""


class Public(Protocol):
    """Knows what everybody may read."""

    @property
    def is_all(self) -> bool:
        """Whether nothing is private."""

    def holds(self, request: web.BaseRequest) -> bool:
        """Return whether the response to *request* holds nothing private."""


class Cors:
    """The CORS headers of one configuration.

    Args:
        origins: The origins of `corsDomains`, each as a browser writes it (`https://example.org`), or `*` for
            all. Pages of the machine itself may read in any case. Empty: every page may also read what is
            public.
        allow_timing: Whether every page may read the timing of requests.
        public: What is public.
    """

    def __init__(self, origins: Collection[str], *, allow_timing: bool, public: Public) -> None:
        self._origins = frozenset(origin.rstrip("/") for origin in origins)
        self._public = public
        self._names_any = _ANY in self._origins
        base: dict[str, str] = {hdrs.ACCESS_CONTROL_EXPOSE_HEADERS: _EXPOSED}
        if allow_timing:
            base["Timing-Allow-Origin"] = _ANY
        self._for_all: Final[Mapping[str, str]] = {**base, hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: _ANY}
        self._for_some: Final[Mapping[str, str]] = {**base, hdrs.VARY: hdrs.ORIGIN}
        self._refused = Once(log, self._describe)

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """The origins whose pages were refused since the start, the first one first; a few at most."""
        named = (origin for origin in self._refused.names if origin != _NOWHERE)
        return tuple(Refusal(origin, self._line_for(origin)) for origin in named)

    def headers_for(self, request: web.BaseRequest) -> Mapping[str, str]:
        """Return the headers for every response to *request*."""
        if self._is_open:
            return self._for_all
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None:
            return self._for_some
        allowed = self._allowed_origin(request, origin)
        if allowed is not None:
            return {**self._for_some, hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: allowed}
        is_name = origin == _NOWHERE or _ORIGIN.fullmatch(origin)
        if is_name and not _is_same_origin(request, origin):
            self._refused.note(origin)
        return self._for_some

    def is_stranger(self, request: web.BaseRequest) -> bool:
        """Return whether a page sent *request* that may read nothing but what is public."""
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or self._is_open or self._knows(origin):
            return False
        return not _is_same_origin(request, origin)

    @property
    def _is_open(self) -> bool:
        return self._names_any or (not self._origins and self._public.is_all)

    def _knows(self, origin: str) -> bool:
        return origin in self._origins or is_loopback_origin(origin)

    def _allowed_origin(self, request: web.BaseRequest, origin: str) -> str | None:
        """Return the origins that may read the response, as the header names them; None: *origin* may not."""
        if self._knows(origin):
            return origin
        return _ANY if not self._origins and self._public.holds(request) else None

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
        is_allowed = hdrs.ACCESS_CONTROL_ALLOW_ORIGIN in self.headers_for(request)
        if is_allowed and request.headers.get(_PRIVATE_NETWORK) == "true":
            headers["Access-Control-Allow-Private-Network"] = "true"
        return web.Response(status=204, headers=headers)

    def cover_unparsed(self, server: web.Server) -> None:
        """Make *server* send the headers on its responses to malformed requests, too."""
        prepare_unparsed(server, self._on_prepare_unparsed)

    async def _on_prepare_unparsed(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        response.headers["X-Content-Type-Options"] = "nosniff"
        await self.on_prepare(request, response)

    def _describe(self, origin: str) -> str:
        if origin == _NOWHERE:
            return (
                "page refused: a page without an origin, such as a file or a sandboxed frame, may not read "
                "what is not public; serve it by a web server, and name that in corsDomains"
            )
        return (
            f"page refused: {origin} may not read what is not public; "
            f"to let it read everything, write {self._line_for(origin)} in [server] and restart"
        )

    def _line_for(self, origin: str) -> str:
        return f"corsDomains = {json.dumps([*sorted(self._origins), origin])}"


def _is_same_origin(request: web.BaseRequest, origin: str) -> bool:
    """Return whether a page of this server sent *request*, which browsers let read in any case."""
    if request.headers.get("Sec-Fetch-Site") == "same-origin":
        return True
    return origin.partition("://")[2] == request.headers.get(hdrs.HOST)


CORS: Final = web.AppKey("cors", Cors)
