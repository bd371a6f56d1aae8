"""Which path leads to which handler: the one table of everything this server answers.

Data instances have a table of their own, as in DVID: the path up to the endpoint is parsed alike
for all of them, and they refuse verbs in words of their own.  (imageblk.go:2249, 3400c2cb)
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from aiohttp import hdrs, web

from dvidpc.data.instance import Data, Instance
from dvidpc.dvid.descriptions import ADMIN_TOKEN, USER
from dvidpc.dvid.documents import admin, manual, metadata, readiness, refusals
from dvidpc.dvid.documents.refusals import send_no_continue
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.table import API, HTML, JSON, Api, Doc, Endpoint, Handler, Route
from dvidpc.errors import RequestError, StoreError
from dvidpc.formats.dvid.go_json import quote
from dvidpc.http.error_responses import plain_error
from dvidpc.http.etags import name_answer

POST = (hdrs.METH_POST,)
WRITES = (hdrs.METH_POST, hdrs.METH_PUT, hdrs.METH_DELETE, hdrs.METH_PATCH)

ROUTES: Final = (
    Route("/healthz", readiness.healthz, Doc("200: the process answers.")),
    Route("/readyz", readiness.readyz, Doc("200: every volume is served; 503: why not.")),
    Route("/api/server/info", metadata.server_info, Doc("Versions, cores, uptime.", (JSON,))),
    Route("/api/server/note", metadata.server_note, Doc("What the operator has to say.")),
    Route("/api/server/types", metadata.server_types, Doc("Types of the data served.", (JSON,))),
    Route(
        "/api/server/compiled-types",
        metadata.server_compiled_types,
        Doc("Types of data that can be served.", (JSON,)),
    ),
    Route(
        "/api/server/groupcache",
        metadata.server_groupcache,
        Doc("Zeros: for clients that watch DVID's cache.", (JSON,)),
    ),
    Route("/api/server/config", admin.server_config, Doc("The configuration file.", query=ADMIN_TOKEN)),
    Route(
        "/api/server/settings",
        admin.server_settings,
        Doc("DVID's settings: taken, and without effect.", query=ADMIN_TOKEN),
        POST,
        reads_body=True,
    ),
    Route(
        "/api/server/reload-auth",
        admin.reload_auth,
        Doc("For DVID's scripts: nothing to read.", query=ADMIN_TOKEN),
        POST,
    ),
    Route(
        "/api/server/reload-blocklist",
        admin.reload_block_list,
        Doc("Read blockListFile again.", query=ADMIN_TOKEN),
        POST,
    ),
    Route("/api/storage", admin.storage, Doc("Which volume is served from where.", query=ADMIN_TOKEN)),
    Route("/api/load", metadata.load, Doc("Reads and requests under way.", (JSON,))),
    Route(
        "/api/heartbeat",
        metadata.heartbeat,
        Doc("OK; with a name, the time it took is kept.", query={"u": USER}),
    ),
    Route(
        "/api/user-latencies",
        metadata.user_latencies,
        Doc("How long heartbeats took, in milliseconds.", (JSON,), {"u": USER}),
    ),
    Route("/interface", manual.interface_raml, Doc("What is answered, in RAML.", (manual.RAML,))),
    Route("/interface/version", manual.interface_version, Doc("The version of DVID's API.")),
    Route("/api/openapi.json", manual.openapi, Doc("What is answered, in OpenAPI 3.1.", (JSON,))),
    Route("/api/help", manual.help_index, Doc("What is answered, for people.", (HTML,))),
    Route("/api/help/{type}", manual.help_of_type, Doc("What instances of a type answer.")),
    Route("/api/repos/info", metadata.repos_info, Doc("Everything there is to know.", (JSON,))),
    Route(
        "/api/repos",
        admin.create_repo,
        Doc("Names the one repo, in place of making one.", (JSON,), ADMIN_TOKEN),
        POST,
    ),
    Route("/api/repo/{uuid}", metadata.repo_head, Doc("200 if there is such a repo."), (hdrs.METH_HEAD,)),
    Route("/api/repo/{uuid}/info", metadata.repo_info, Doc("Everything there is to know of it.", (JSON,))),
    Route("/api/repo/{uuid}/log", metadata.repo_log, Doc("How its instances came to be.", (JSON,))),
    Route(
        "/api/repo/{uuid}/branch-versions/{name}",
        metadata.branch_versions,
        Doc("UUIDs of a branch, its leaf first.", (JSON,)),
    ),
    Route("/api/node/{uuid}/note", metadata.node_note, Doc("An empty note.", (JSON,))),
    Route("/api/node/{uuid}/log", metadata.node_log, Doc("An empty log.", (JSON,))),
    Route("/api/node/{uuid}/status", metadata.node_status, Doc("Locked.", (JSON,))),
    Route("/api/node/{uuid}/commit", metadata.node_status, Doc("Locked.", (JSON,))),
)

REFUSALS: Final[Mapping[str, Handler]] = MappingProxyType(
    {
        "/api/repo/{uuid}/instance": refusals.add_instance,
        **dict.fromkeys(
            (f"/api/repo/{{uuid}}/{action}" for action in ("info", "log", "merge", "resolve")),
            refusals.change_repo,
        ),
        **dict.fromkeys(
            (f"/api/node/{{uuid}}/{action}" for action in ("note", "log", "status", "commit")),
            refusals.change_node,
        ),
        **dict.fromkeys(
            (f"/api/node/{{uuid}}/{action}" for action in ("branch", "newversion", "tag")),
            refusals.branch_node,
        ),
    }
)
"""Where DVID writes, and who says that we do not.  (web.go:816-847, 3400c2cb)"""

_INSTANCE_PATH = "/api/node/{uuid}/{data}/{call:.+}"


def add_routes(
    app: web.Application, base_path: str, api: Api, pages: Sequence[Route], fallback: Handler
) -> None:
    """Register every path below *base_path*, with and without a trailing slash.

    Args:
        app: The application.
        base_path: What stands before every path; empty: nothing.
        api: The routes of the API, DVID's and ours, and the data types.
        pages: Further routes, for browsers, which are not part of the API.
        fallback: Answers every path that no route matches.
    """
    app[API] = api
    router = app.router
    router.add_route("*", base_path + _INSTANCE_PATH, call_instance, expect_handler=send_no_continue)
    for route in (*api.routes, *pages):
        handlers = dict.fromkeys(route.methods, route.handler)
        handlers[hdrs.METH_OPTIONS] = allow(route.methods)
        expect_handler = None if route.reads_body else send_no_continue
        for path in _both_forms(base_path + route.path):
            resource = router.add_resource(path)
            for method, handler in handlers.items():
                resource.add_route(method, handler, expect_handler=expect_handler)
    for refused, refuse in REFUSALS.items():
        for path in _both_forms(base_path + refused):
            resource = router.add_resource(path)
            for method in WRITES:
                resource.add_route(method, refuse, expect_handler=send_no_continue)
    router.add_route("*", base_path + "/{path:.*}", fallback, expect_handler=send_no_continue)


def _both_forms(path: str) -> tuple[str, ...]:
    return (path,) if path == "/" else (path.rstrip("/"), path.rstrip("/") + "/")


def allow(methods: tuple[str, ...]) -> Handler:
    """A handler for OPTIONS that names *methods*."""
    verbs = ", ".join((*methods, hdrs.METH_OPTIONS))

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(headers={hdrs.ALLOW: verbs})

    return answer


async def call_instance(request: web.Request) -> web.StreamResponse:
    """`/api/node/{uuid}/{data}/{endpoint}...`."""
    match = request.match_info
    if request.method not in {hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_POST, hdrs.METH_OPTIONS}:
        # DVID refuses HEAD and OPTIONS too; clients and browsers have good uses for both.
        raise RequestError(f'Data "{match["data"]}" can only handle GET or POST HTTP verbs')
    instance = _instance_of(request)
    name = match["call"].split("/", 1)[0]
    endpoint = request.app[API].families[instance.data.data_type.family].endpoints.get(name)
    if endpoint is None:
        return _bad_call(request, instance)
    if request.method == hdrs.METH_OPTIONS:
        return web.Response(headers={hdrs.ALLOW: "GET, HEAD, OPTIONS"})
    if request.method == hdrs.METH_POST:
        raise RequestError(_post_refusal(request, endpoint, instance))
    if endpoint.is_document:
        answer = await endpoint.handler(request, instance)
    else:
        admission = request.app[SERVICES].admission
        answer = await admission.run(request, lambda: endpoint.handler(request, instance))
    return name_answer(request, answer)


def _instance_of(request: web.Request) -> Instance[Data]:
    """The instance of a request.

    Raises:
        RequestError: There is none of that name.
        StoreError: There may be one later: the volume it belongs to has not been opened yet.
    """
    services, match = request.app[SERVICES], request.match_info
    if match["data"] not in services.repo.instances:
        reason = services.volumes.reason_to_wait(match["data"])
        if reason is not None:
            services.repo.resolve(match["uuid"])
            raise StoreError(f"{quote(match['data'])} is not served yet: {reason}")
    return services.repo.instance(match["uuid"], match["data"])


def _post_refusal(request: web.Request, endpoint: Endpoint[Any], instance: Instance[Data]) -> str:
    if endpoint.post_refusal is not None:
        return endpoint.post_refusal.format(name=instance.name)
    keyword = quote(request.match_info["call"].split("/", 1)[0])
    return f"Cannot do POST on endpoint {keyword} of locked node {request.app[SERVICES].repo.uuid}"


def _bad_call(request: web.Request, instance: Instance[Data]) -> web.Response:
    services = request.app[SERVICES]
    root = f"http://{services.facts.host}{services.base_path}"
    return plain_error(
        400,
        f'Bad API call ({request.path}) for data "{instance.name}".  '
        f"See API help at {root}/api/help/{instance.data.data_type.name}\n",
    )
