"""What is answered before a request reaches its handler, whatever its path."""

import posixpath
from collections.abc import Callable, Sequence

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

from dvidpc.http.block_list import BlockList
from dvidpc.http.middleware import plain_error

Check = Callable[[web.Request], web.Response | None]
"""Answers a request, or leaves it to the next: None."""


def make_gate(checks: Sequence[Check]) -> Middleware:
    """A middleware that asks *checks* one after the other."""

    @web.middleware
    async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        for check in checks:
            answer = check(request)
            if answer is not None:
                return answer
        return await handler(request)

    return gate


def redirect_to_clean_path(request: web.Request) -> web.Response | None:
    """301 for `//x`, `/./x` and `/../x`, written so or with %2e, as Go's ServeMux has it."""
    path = request.path
    if "//" not in path and "/." not in path:
        return None
    clean = clean_path(path)
    if clean == path:
        return None
    # The path starts with one slash, so no client takes its beginning for a host.
    url = URL.build(path=clean).with_query(None)
    query = request.rel_url.raw_query_string
    location = f"{url.raw_path}?{query}" if query else url.raw_path
    return web.Response(status=301, headers={hdrs.LOCATION: location})


def refuse_blocked(block_list: BlockList) -> Check:
    """429 for those on *block_list*."""

    def check(request: web.Request) -> web.Response | None:
        told = block_list.refusal(request.query, request.remote or "")
        return None if told is None else plain_error(429, told)

    return check


def clean_path(path: str) -> str:
    """*path* without empty parts, `.` and `..`; with a slash at its end if it has one."""
    clean = posixpath.normpath(f"/{path.lstrip('/')}")
    ends_open = path.endswith(("/", "/.", "/.."))
    return f"{clean}/" if ends_open and clean != "/" else clean
