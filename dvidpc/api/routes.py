"""Which path leads to which handler: the one table of everything this server answers.

Data instances have a table of their own, as in DVID: the path up to the endpoint is parsed alike
for all of them, and they refuse verbs in words of their own.  (imageblk.go:2249, 3400c2cb)
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from aiohttp import hdrs, web

from dvidpc.api import admin, blocks, health, metadata, planes, rawkey, voxels
from dvidpc.api.middleware import plain_error
from dvidpc.api.services import SERVICES
from dvidpc.errors import RequestError
from dvidpc.volume.repo import Instance

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
InstanceHandler = Callable[[web.Request, Instance], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """A path, and what answers GET and HEAD on it."""

    path: str
    handler: Handler
    methods: tuple[str, ...] = (hdrs.METH_GET, hdrs.METH_HEAD)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a data instance does below its name."""

    handler: InstanceHandler
    post_refusal: str | None = None
    """What a POST is told, `{name}` being the instance; None: it is answered like a GET, as in DVID."""


ROUTES: Final = (
    Route("/", metadata.front_page),
    Route("/healthz", health.healthz),
    Route("/readyz", health.readyz),
    Route("/api/server/info", metadata.server_info),
    Route("/api/server/note", metadata.server_note),
    Route("/api/server/types", metadata.server_types),
    Route("/api/server/compiled-types", metadata.server_compiled_types),
    Route("/api/server/groupcache", metadata.server_groupcache),
    Route("/api/server/config", admin.server_config),
    Route("/api/load", metadata.load),
    Route("/api/heartbeat", metadata.heartbeat),
    Route("/api/user-latencies", metadata.user_latencies),
    Route("/interface/version", metadata.interface_version),
    Route("/api/help", metadata.help_page),
    Route("/api/help/{type}", metadata.type_help),
    Route("/api/repos/info", metadata.repos_info),
    Route("/api/repos", admin.create_repo, (hdrs.METH_POST,)),
    Route("/api/repo/{uuid}", metadata.repo_head, (hdrs.METH_HEAD,)),
    Route("/api/repo/{uuid}/info", metadata.repo_info),
    Route("/api/repo/{uuid}/log", metadata.repo_log),
    Route("/api/repo/{uuid}/branch-versions/{name}", metadata.branch_versions),
    Route("/api/node/{uuid}/note", metadata.node_note),
    Route("/api/node/{uuid}/log", metadata.node_log),
    Route("/api/node/{uuid}/status", metadata.node_status),
    Route("/api/node/{uuid}/commit", metadata.node_status),
)

_IMMUTABLE = 'Data "{name}" uses an immutable GridStore so cannot received POSTs'

ENDPOINTS: Final[Mapping[str, Endpoint]] = MappingProxyType(
    {
        "specificblocks": Endpoint(
            blocks.specific_blocks, "DVID does not accept the post action on the 'specificblocks' endpoint"
        ),
        "subvolblocks": Endpoint(
            blocks.subvolume_blocks, "DVID does not accept the post action on the 'blocks' endpoint"
        ),
        "blocks": Endpoint(blocks.block_span, _IMMUTABLE),
        "raw": Endpoint(voxels.raw, _IMMUTABLE),
        "isotropic": Endpoint(voxels.isotropic, "can only POST 'raw' not 'isotropic' images"),
        "arb": Endpoint(planes.arb),
        "tile": Endpoint(planes.tile, _IMMUTABLE),
        "rawkey": Endpoint(rawkey.rawkey),
        "extents": Endpoint(metadata.extents, _IMMUTABLE),
        "resolution": Endpoint(metadata.resolution, _IMMUTABLE),
        "info": Endpoint(metadata.data_info, "info endpoint only supports GET HTTP verb"),
        "metadata": Endpoint(metadata.data_metadata),
        "help": Endpoint(metadata.data_help),
    }
)
"""Endpoints of a data instance, by the first part of the path below it."""

_INSTANCE_PATH = "/api/node/{uuid}/{data}/{call:.+}"


def add_routes(router: web.UrlDispatcher) -> None:
    """Have *router* know every path, with and without a slash at its end."""
    router.add_route("*", _INSTANCE_PATH, call_instance)
    for route in ROUTES:
        for path in {route.path, route.path.rstrip("/") + "/"}:
            resource = router.add_resource(path)
            for method in (*route.methods, hdrs.METH_OPTIONS):
                resource.add_route(method, allow(route) if method == hdrs.METH_OPTIONS else route.handler)


def allow(route: Route) -> Handler:
    """A handler for OPTIONS that names the verbs of *route*."""
    verbs = ", ".join((*route.methods, hdrs.METH_OPTIONS))

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(headers={hdrs.ALLOW: verbs})

    return answer


async def call_instance(request: web.Request) -> web.StreamResponse:
    """`/api/node/{uuid}/{data}/{endpoint}...`."""
    match = request.match_info
    if request.method not in {hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_POST, hdrs.METH_OPTIONS}:
        # DVID refuses HEAD and OPTIONS too; clients and browsers have good uses for both.
        raise RequestError(f'Data "{match["data"]}" can only handle GET or POST HTTP verbs')
    instance = request.app[SERVICES].repo.instance(match["uuid"], match["data"])
    endpoint = ENDPOINTS.get(match["call"].split("/", 1)[0])
    if endpoint is None:
        return _bad_call(request, instance)
    if request.method == hdrs.METH_OPTIONS:
        return web.Response(headers={hdrs.ALLOW: "GET, HEAD, OPTIONS"})
    if request.method == hdrs.METH_POST and endpoint.post_refusal is not None:
        raise RequestError(endpoint.post_refusal.format(name=instance.name))
    return await endpoint.handler(request, instance)


def _bad_call(request: web.Request, instance: Instance) -> web.Response:
    host = request.app[SERVICES].facts.host
    return plain_error(
        400,
        f'Bad API call ({request.path}) for data "{instance.name}".  '
        f"See API help at http://{host}/api/help/{instance.voxel_type.type_name}\n",
    )
