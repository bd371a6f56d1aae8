"""Endpoints for administrators: clients that send the token in the server's `DVID_ADMIN_TOKEN`."""

import asyncio
import hmac
import logging

import msgspec
from aiohttp import web

from dvidpc.dvid.services import SERVICES
from dvidpc.errors import ConfigError, RequestError
from dvidpc.formats.dvid.go_json import quote

log = logging.getLogger(__name__)

_SETTINGS = ("gc", "throttle")
"""DVID's settings: the target of Go's garbage collector, and the number of concurrent throttled requests."""

_MAX_BODY = 64 * 1024


async def server_config(request: web.Request) -> web.StreamResponse:
    """Answer `/api/server/config`: the text of the configuration file."""
    _require_admin(request, "GET /api/server/config")
    return _text(request.app[SERVICES].config_text)


async def server_settings(request: web.Request) -> web.StreamResponse:
    """Answer `POST /api/server/settings`: accept DVID's settings, which have no effect here."""
    _require_admin(request, "POST /api/server/settings")
    try:
        settings = msgspec.json.decode(await _read_body(request), type=dict[str, str | int])
    except msgspec.DecodeError as error:
        raise RequestError(f"Error decoding POSTed JSON config for 'new': {error}") from error
    lines = []
    for name in filter(settings.__contains__, _SETTINGS):
        try:
            int(settings[name])
        except ValueError as error:
            raise RequestError(
                f"POST on settings endpoint had bad parsing of '{name}' key: {error}"
            ) from error
        lines.append(f"{name} is accepted and has no effect on this server\n")
    return _text("".join(lines).encode())


async def reload_auth(request: web.Request) -> web.StreamResponse:
    """Answer `POST /api/server/reload-auth`, as a DVID without an authorization file does."""
    _require_admin(request, "POST /api/server/reload-auth")
    return _text(b'Reloaded authorizations from file "".\n')


async def reload_block_list(request: web.Request) -> web.StreamResponse:
    """Answer `POST /api/server/reload-blocklist`: read the block list again."""
    _require_admin(request, "POST /api/server/reload-blocklist")
    block_list = request.app[SERVICES].block_list
    try:
        await asyncio.to_thread(block_list.reload)
    except ConfigError as error:
        raise RequestError(f"unable to reload blocklist file: {error}") from error
    return _text(f"Reloaded block list from file {quote(str(block_list.path or ''))}.\n".encode())


async def storage(request: web.Request) -> web.StreamResponse:
    """Answer `/api/storage`: the URL of each instance. DVID counts keys, which do not exist here."""
    if not is_admin(request):
        raise RequestError(
            "Storage summary takes considerable resources and is only available to admin users."
        )
    lines = []
    for volume in request.app[SERVICES].volumes.volumes:
        lines.append(f"store {volume.settings.alias}: {volume.problem or 'served'}\n")
        lines += [f"  {instance.name}: {instance.store_url}\n" for instance in volume.instances]
    return _text("".join(lines).encode())


async def create_repo(request: web.Request) -> web.StreamResponse:
    """Answer `POST /api/repos` with the UUID of the one repo, so that DVID's set-up scripts work."""
    if not is_admin(request):
        raise RequestError(
            "Creating a repo requires admin privileges (admintoken or DSG admin) "
            "on a server that is not read-only"
        )
    root = quote(request.app[SERVICES].repo.uuid)
    return web.Response(body=f'{{"root": {root}}}'.encode(), content_type="application/json")


def is_admin(request: web.Request) -> bool:
    """Return whether the request carries the administrator's token; False if the server has none."""
    token = request.app[SERVICES].admin_token
    given = request.query.get("admintoken", "")
    granted = token is not None and hmac.compare_digest(given.encode(errors="replace"), token.encode())
    if granted:
        log.info("administrator request: %s %s from %s", request.method, request.path, request.remote)
    return granted


def _require_admin(request: web.Request, what: str) -> None:
    if not is_admin(request):
        raise RequestError(f"{what} requires admin privileges (admintoken or DSG admin)")


async def _read_body(request: web.Request) -> bytes:
    body = await request.content.read(_MAX_BODY + 1)
    while body and len(body) <= _MAX_BODY and (more := await request.content.read(_MAX_BODY + 1 - len(body))):
        body += more
    if len(body) > _MAX_BODY:
        raise RequestError(f"the request body exceeds {_MAX_BODY} bytes")
    return body


def _text(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="text/plain")
