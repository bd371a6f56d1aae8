"""What DVID lets clients write, refused in the words it has for a locked version and for a read-only server.

Nothing of a body is read. Where the client asks first, by `Expect: 100-continue`, it hears the refusal
before it sends anything.
"""

from aiohttp import web

from dvidpc.dvid.services import SERVICES
from dvidpc.errors import RequestError

_READ_ONLY = "Server in read-only mode and will only accept GET and HEAD requestcs"
"""To the letter.  (web.go:1139, 3400c2cb)"""


async def change_repo(request: web.Request) -> web.StreamResponse:
    """A write to `/api/repo/{uuid}/...`."""
    request.app[SERVICES].repo.resolve(request.match_info["uuid"])
    raise RequestError(_READ_ONLY)


async def add_instance(request: web.Request) -> web.StreamResponse:
    """`POST /api/repo/{uuid}/instance`: in the words of web.go:1885 (3400c2cb)."""
    repo = request.app[SERVICES].repo
    repo.resolve(request.match_info["uuid"])
    raise RequestError(f"New data instance cannot be created on locked node {repo.uuid}")


async def change_node(request: web.Request) -> web.StreamResponse:
    """A write to `/api/node/{uuid}/...`: in the words of web.go:1180 (3400c2cb)."""
    repo = request.app[SERVICES].repo
    repo.resolve(request.match_info["uuid"])
    raise RequestError(f"Cannot do {request.method.lower()} on locked node {repo.uuid}")


async def branch_node(request: web.Request) -> web.StreamResponse:
    """A new version, which DVID makes of a locked one, but not when it is read-only."""
    return await change_repo(request)


async def send_no_continue(_request: web.Request) -> None:
    """Do not ask for the body that a client announces: what the answer is does not depend on it."""
