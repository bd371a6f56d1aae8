"""The endpoints that describe the server, its repo and its data, without reading a voxel.

The answers are `documents`; here a request is parsed and an answer framed. Content types are DVID's.
"""

import asyncio

from aiohttp import web

from dvidpc.data.repo import Instance
from dvidpc.dvid.documents import bodies
from dvidpc.dvid.services import SERVICES, Services
from dvidpc.errors import RequestError
from dvidpc.formats.dvid.go_json import JsonValue, encode
from dvidpc.http.etags import answer_document, answer_whole

_JSON = "application/json"
_ND_DATA = "application/vnd.dvid-nd-data+json"


async def server_info(request: web.Request) -> web.StreamResponse:
    """`/api/server/info`."""
    services = request.app[SERVICES]
    return _json(bodies.server_info(services.facts, services.clock()))


async def server_note(request: web.Request) -> web.StreamResponse:
    """`/api/server/note`."""
    return _text(request.app[SERVICES].facts.note)


async def server_types(request: web.Request) -> web.StreamResponse:
    """`/api/server/types`."""
    return _json(bodies.types(request.app[SERVICES].repo))


async def server_compiled_types(_request: web.Request) -> web.StreamResponse:
    """`/api/server/compiled-types`."""
    return _json(bodies.compiled_types())


async def server_groupcache(_request: web.Request) -> web.StreamResponse:
    """`/api/server/groupcache`."""
    return _json(bodies.groupcache())


async def load(request: web.Request) -> web.StreamResponse:
    """`/api/load`."""
    return _json(bodies.load(request.app[SERVICES].load()))


async def heartbeat(request: web.Request) -> web.StreamResponse:
    """`/api/heartbeat[?u=name]`: a named one measures how long any request waits for its turn."""
    user = request.query.get("u")
    if user:
        services = request.app[SERVICES]
        pinged = services.clock()
        loop = asyncio.get_running_loop()
        asked = loop.time()
        await asyncio.sleep(0)
        services.users.record(user, pinged=pinged, latency_ms=int((loop.time() - asked) * 1000))
    return _text("OK")


async def user_latencies(request: web.Request) -> web.StreamResponse:
    """`/api/user-latencies[?u=name]`."""
    users = request.app[SERVICES].users
    user = request.query.get("u")
    return _json(users.document_of(user) if user else users.document())


async def repos_info(request: web.Request) -> web.StreamResponse:
    """`/api/repos/info`."""
    return answer_document(request, request.app[SERVICES].encoded.repos_info(), _JSON)


async def repo_head(request: web.Request) -> web.StreamResponse:
    """`HEAD /api/repo/{uuid}`."""
    return _text(f"Repo available with root UUID {_resolve(request).repo.uuid}\n")


async def repo_info(request: web.Request) -> web.StreamResponse:
    """`/api/repo/{uuid}/info`."""
    return answer_document(request, _resolve(request).encoded.repo_info(), _JSON)


async def repo_log(request: web.Request) -> web.StreamResponse:
    """`/api/repo/{uuid}/log`."""
    return _json(bodies.repo_log(_resolve(request).repo))


async def branch_versions(request: web.Request) -> web.StreamResponse:
    """`/api/repo/{uuid}/branch-versions/{name}`: an unknown branch has none."""
    return _json(_resolve(request).repo.branch_versions(request.match_info["name"]))


async def node_note(request: web.Request) -> web.StreamResponse:
    """`/api/node/{uuid}/note`."""
    _resolve(request)
    return _json(bodies.node_note())


async def node_log(request: web.Request) -> web.StreamResponse:
    """`/api/node/{uuid}/log`."""
    _resolve(request)
    return _json(bodies.node_log())


async def node_status(request: web.Request) -> web.StreamResponse:
    """`/api/node/{uuid}/status` and `GET /api/node/{uuid}/commit`."""
    _resolve(request)
    return _json(bodies.node_status())


async def data_info(request: web.Request, instance: Instance) -> web.StreamResponse:
    """`/api/node/{uuid}/{data}/info`."""
    return answer_document(request, request.app[SERVICES].encoded.instance_info(instance), _JSON)


async def data_metadata(request: web.Request, instance: Instance) -> web.StreamResponse:
    """`/api/node/{uuid}/{data}/metadata`."""
    body = encode(bodies.instance_metadata(instance)) + b"\n"
    return answer_whole(request, body, _ND_DATA)


async def extents(_request: web.Request, _instance: Instance) -> web.StreamResponse:
    """`/api/node/{uuid}/{data}/extents`: they are what `info` says.

    DVID lets anybody POST others, even of data it only passes on.  (imageblk.go:2304, 3400c2cb)
    """
    raise RequestError("extents endpoint only supports POST HTTP verb")


async def resolution(_request: web.Request, _instance: Instance) -> web.StreamResponse:
    """`/api/node/{uuid}/{data}/resolution`: likewise."""
    raise RequestError("resolution endpoint only supports POST HTTP verb")


def _resolve(request: web.Request) -> Services:
    services = request.app[SERVICES]
    services.repo.resolve(request.match_info["uuid"])
    return services


# A body of bytes keeps aiohttp from adding a charset where DVID has none.


def _json(document: JsonValue) -> web.Response:
    return web.Response(body=encode(document), content_type=_JSON)


def _text(text: str) -> web.Response:
    return web.Response(body=text.encode(), content_type="text/plain")
