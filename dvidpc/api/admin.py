"""What DVID gives to administrators only: whoever knows the token in the environment of the server."""

import hmac

from aiohttp import web

from dvidpc.api.services import SERVICES
from dvidpc.errors import RequestError
from dvidpc.formats.dvidjson import quote


async def server_config(request: web.Request) -> web.StreamResponse:
    """`/api/server/config`: the configuration file as it is."""
    if not is_admin(request):
        raise RequestError("GET /api/server/config requires admin privileges (admintoken or DSG admin)")
    return web.Response(body=request.app[SERVICES].config_text, content_type="text/plain")


async def create_repo(request: web.Request) -> web.StreamResponse:
    """`POST /api/repos`: answers with the one repo, so that set-up steps written for DVID go on to work."""
    if not is_admin(request):
        raise RequestError(
            "Creating a repo requires admin privileges (admintoken or DSG admin) "
            "on a server that is not read-only"
        )
    root = quote(request.app[SERVICES].repo.uuid)
    return web.Response(body=f'{{"root": {root}}}'.encode(), content_type="application/json")


def is_admin(request: web.Request) -> bool:
    """Whether the request carries the token of `DVID_ADMIN_TOKEN`; never, where that is not set."""
    token = request.app[SERVICES].admin_token
    given = request.query.get("admintoken", "")
    return token is not None and hmac.compare_digest(given.encode(errors="replace"), token.encode())
