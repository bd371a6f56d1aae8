"""The one table of the API's routes. Each data type has its own table of endpoints below them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from aiohttp import hdrs, web

from dvidpc.dvid.descriptions import ADMIN_TOKEN, USER
from dvidpc.dvid.documents import admin, manual, readiness, refusals, repo_endpoints, server_endpoints
from dvidpc.dvid.documents.refusals import continue_reads, send_no_continue
from dvidpc.dvid.instance_calls import call_instance
from dvidpc.dvid.table import API, HTML, JSON, Api, Doc, Handler, Route

POST = (hdrs.METH_POST,)
WRITES = (hdrs.METH_POST, hdrs.METH_PUT, hdrs.METH_DELETE, hdrs.METH_PATCH)

ROUTES: Final = (
    Route("/healthz", readiness.healthz, Doc("Liveness: 200 while the process runs.")),
    Route(
        "/readyz",
        readiness.readyz,
        Doc("Readiness: 200 if every volume is readable, else 503 and the reasons."),
    ),
    Route(
        "/api/server/info",
        server_endpoints.server_info,
        Doc("Versions, cores and uptime of the server.", (JSON,)),
    ),
    Route("/api/server/note", server_endpoints.server_note, Doc("A note by the operator.")),
    Route(
        "/api/server/types", server_endpoints.server_types, Doc("The data types of the instances.", (JSON,))
    ),
    Route(
        "/api/server/compiled-types",
        server_endpoints.server_compiled_types,
        Doc("The data types that this server supports.", (JSON,)),
    ),
    Route(
        "/api/server/groupcache",
        server_endpoints.server_groupcache,
        Doc("Statistics of DVID's groupcache, which this server does not have: all zero.", (JSON,)),
    ),
    Route(
        "/api/server/config",
        admin.server_config,
        Doc("The text of the configuration file.", query=ADMIN_TOKEN),
    ),
    Route(
        "/api/server/settings",
        admin.server_settings,
        Doc("Accepts DVID's settings, which have no effect on this server.", query=ADMIN_TOKEN),
        POST,
        reads_body=True,
    ),
    Route(
        "/api/server/reload-auth",
        admin.reload_auth,
        Doc("Answers DVID's scripts; there is no authorization file to reload.", query=ADMIN_TOKEN),
        POST,
    ),
    Route(
        "/api/server/reload-blocklist",
        admin.reload_block_list,
        Doc("Reads blockListFile again.", query=ADMIN_TOKEN),
        POST,
    ),
    Route(
        "/api/storage", admin.storage, Doc("The volumes, and the URL of each instance.", query=ADMIN_TOKEN)
    ),
    Route(
        "/api/load",
        server_endpoints.load,
        Doc("Current load: reads per second and requests in flight.", (JSON,)),
    ),
    Route(
        "/api/heartbeat",
        server_endpoints.heartbeat,
        Doc("OK. With a user name, the server records the latency.", query={"u": USER}),
    ),
    Route(
        "/api/user-latencies",
        server_endpoints.user_latencies,
        Doc("Latencies of heartbeats by user, in milliseconds.", (JSON,), {"u": USER}),
    ),
    Route("/interface", manual.interface_raml, Doc("This API in RAML.", (manual.RAML,))),
    Route("/interface/version", manual.interface_version, Doc("The version of DVID's API.")),
    Route("/api/openapi.json", manual.openapi, Doc("This API in OpenAPI 3.1.", (JSON,))),
    Route("/api/help", manual.help_index, Doc("This API as a web page.", (HTML,))),
    Route("/api/help/{type}", manual.help_of_type, Doc("The endpoints of a data type.")),
    Route("/api/repos/info", repo_endpoints.repos_info, Doc("The repo: instances, versions, log.", (JSON,))),
    Route(
        "/api/repos",
        admin.create_repo,
        Doc("Returns the UUID of the one repo instead of creating another.", (JSON,), ADMIN_TOKEN),
        POST,
    ),
    Route("/api/repo/{uuid}", repo_endpoints.repo_head, Doc("200 if the repo exists."), (hdrs.METH_HEAD,)),
    Route(
        "/api/repo/{uuid}/info", repo_endpoints.repo_info, Doc("The repo: instances, versions, log.", (JSON,))
    ),
    Route(
        "/api/repo/{uuid}/log",
        repo_endpoints.repo_log,
        Doc("The log of the repo: the creation of each instance.", (JSON,)),
    ),
    Route(
        "/api/repo/{uuid}/branch-versions/{name}",
        repo_endpoints.branch_versions,
        Doc("UUIDs of the versions of a branch, newest first.", (JSON,)),
    ),
    Route(
        "/api/node/{uuid}/note",
        repo_endpoints.node_note,
        Doc("The note of the version: always empty.", (JSON,)),
    ),
    Route(
        "/api/node/{uuid}/log", repo_endpoints.node_log, Doc("The log of the version: always empty.", (JSON,))
    ),
    Route(
        "/api/node/{uuid}/status",
        repo_endpoints.node_status,
        Doc("Whether the version is locked: always true.", (JSON,)),
    ),
    Route(
        "/api/node/{uuid}/commit",
        repo_endpoints.node_status,
        Doc("Whether the version is locked: always true.", (JSON,)),
    ),
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
"""DVID's paths for writing, and the handlers that refuse.  (web.go:816-847, 3400c2cb)"""

_INSTANCE_PATH = "/api/node/{uuid}/{data}/{call:.+}"


def add_routes(
    app: web.Application, base_path: str, api: Api, pages: Sequence[Route], fallback: Handler
) -> None:
    """Register every path below *base_path*, with and without a trailing slash.

    Args:
        app: The application.
        base_path: Prefix of every path; empty if there is none.
        api: The routes of the API (DVID's and our own) and the data types.
        pages: Routes for browsers, which are not part of the API.
        fallback: Handles every path that no route matches.
    """
    app[API] = api
    router = app.router
    router.add_route("*", base_path + _INSTANCE_PATH, call_instance, expect_handler=continue_reads)
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
    """Return a handler for OPTIONS that allows *methods*."""
    verbs = ", ".join((*methods, hdrs.METH_OPTIONS))

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(headers={hdrs.ALLOW: verbs})

    return answer
