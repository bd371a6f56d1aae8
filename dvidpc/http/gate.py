"""Answer some requests before they reach a handler: redirects, preflights, blocked clients."""

import posixpath
from collections.abc import Callable, Sequence

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

from dvidpc.http.block_list import BlockList
from dvidpc.http.error_responses import plain_error

Check = Callable[[web.Request], web.Response | None]
"""Returns the response to a request; None if the check does not apply to it."""


def make_gate(checks: Sequence[Check]) -> Middleware:
    """Return a middleware that answers with the first response of *checks*, tried in order."""

    @web.middleware
    async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        for check in checks:
            answer = check(request)
            if answer is not None:
                return answer
        return await handler(request)

    return gate


def redirect_to_clean_path(request: web.Request) -> web.Response | None:
    """Redirect `//x`, `/./x` and `/../x`, percent-encoded or not, to the clean path, as Go's ServeMux."""
    path = request.path
    if "//" not in path and "/." not in path:
        return None
    clean = clean_path(path)
    if clean == path:
        return None
    # The path starts with exactly one slash, so clients cannot mistake its first part for a host.
    url = URL.build(path=clean).with_query(None)
    query = request.rel_url.raw_query_string
    location = f"{url.raw_path}?{query}" if query else url.raw_path
    return web.Response(status=301, headers={hdrs.LOCATION: location})


def refuse_blocked(block_list: BlockList) -> Check:
    """Return a check that answers 429 to clients on *block_list*."""

    def check(request: web.Request) -> web.Response | None:
        text = block_list.refusal(request.query, request.remote or "")
        return None if text is None else plain_error(429, text)

    return check


def clean_path(path: str) -> str:
    """Return *path* without empty parts, `.` and `..`; a trailing slash is kept."""
    clean = posixpath.normpath(f"/{path.lstrip('/')}")
    ends_open = path.endswith(("/", "/.", "/.."))
    return f"{clean}/" if ends_open and clean != "/" else clean
