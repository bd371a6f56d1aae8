"""Refuse writes in the words that DVID uses for a locked version and for a read-only server.

The request body is not read. A client that sends `Expect: 100-continue` gets the refusal before it sends
the body.
"""

from aiohttp import HttpVersion11, hdrs, web

from dvidpc.dvid.services import SERVICES
from dvidpc.errors import RequestError

_READ_ONLY = "Server in read-only mode and will only accept GET and HEAD requestcs"
"""DVID's words, to the letter.  (web.go:1139, 3400c2cb)"""


async def change_repo(request: web.Request) -> web.StreamResponse:
    """Refuse a write to `/api/repo/{uuid}/...`."""
    request.app[SERVICES].repo.resolve(request.match_info["uuid"])
    raise RequestError(_READ_ONLY)


async def add_instance(request: web.Request) -> web.StreamResponse:
    """Refuse `POST /api/repo/{uuid}/instance` in the words of web.go:1885 (3400c2cb)."""
    repo = request.app[SERVICES].repo
    repo.resolve(request.match_info["uuid"])
    raise RequestError(f"New data instance cannot be created on locked node {repo.uuid}")


async def change_node(request: web.Request) -> web.StreamResponse:
    """Refuse a write to `/api/node/{uuid}/...` in the words of web.go:1180 (3400c2cb)."""
    repo = request.app[SERVICES].repo
    repo.resolve(request.match_info["uuid"])
    raise RequestError(f"Cannot do {request.method.lower()} on locked node {repo.uuid}")


async def branch_node(request: web.Request) -> web.StreamResponse:
    """Refuse to make a new version. DVID allows it on a locked node, but not on a read-only server."""
    return await change_repo(request)


async def send_no_continue(_request: web.Request) -> None:
    """Do not send `100 Continue`: the answer does not depend on the body."""


async def continue_reads(request: web.Request) -> None:
    """Send `100 Continue` to a GET, whose body may list positions or keys; writes are refused unread."""
    if request.method == hdrs.METH_GET and request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
