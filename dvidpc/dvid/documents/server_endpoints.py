"""The endpoints that describe the server: `/api/server/...`, `/api/load`, heartbeats."""

import asyncio

from aiohttp import web

from dvidpc.dvid.documents import server_documents
from dvidpc.dvid.documents.framing import json_answer, text_answer
from dvidpc.dvid.services import SERVICES
from dvidpc.dvid.table import API


async def server_info(request: web.Request) -> web.StreamResponse:
    """Answer `/api/server/info`."""
    services = request.app[SERVICES]
    return json_answer(server_documents.server_info(services.facts, services.clock()))


async def server_note(request: web.Request) -> web.StreamResponse:
    """Answer `/api/server/note`."""
    return text_answer(request.app[SERVICES].facts.note)


async def server_types(request: web.Request) -> web.StreamResponse:
    """Answer `/api/server/types`."""
    return json_answer(server_documents.types(request.app[SERVICES].repo))


async def server_compiled_types(request: web.Request) -> web.StreamResponse:
    """Answer `/api/server/compiled-types`."""
    return json_answer(server_documents.compiled_types(request.app[API].data_types()))


async def server_groupcache(_request: web.Request) -> web.StreamResponse:
    """Answer `/api/server/groupcache`."""
    return json_answer(server_documents.groupcache())


async def load(request: web.Request) -> web.StreamResponse:
    """Answer `/api/load`."""
    return json_answer(server_documents.load(request.app[SERVICES].load()))


async def heartbeat(request: web.Request) -> web.StreamResponse:
    """Answer `/api/heartbeat[?u=name]`.

    With a name, it records how long the event loop keeps a request waiting at the moment.
    """
    user = request.query.get("u")
    if user:
        services = request.app[SERVICES]
        pinged = services.clock()
        loop = asyncio.get_running_loop()
        asked = loop.time()
        await asyncio.sleep(0)
        services.users.record(user, pinged=pinged, latency_ms=int((loop.time() - asked) * 1000))
    return text_answer("OK")


async def user_latencies(request: web.Request) -> web.StreamResponse:
    """Answer `/api/user-latencies[?u=name]`."""
    users = request.app[SERVICES].users
    user = request.query.get("u")
    return json_answer(users.document_of(user) if user else users.document())
