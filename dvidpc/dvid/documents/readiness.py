"""What a balancer or a supervisor asks: is the process alive, and should it get requests."""

from aiohttp import web

from dvidpc.dvid.services import SERVICES
from dvidpc.http.error_responses import plain_error


async def healthz(_request: web.Request) -> web.StreamResponse:
    """`/healthz`: the process answers."""
    return web.Response(body=b"ok\n", content_type="text/plain")


async def readyz(request: web.Request) -> web.StreamResponse:
    """`/readyz`: every volume can be read and the server is not stopping; else 503, with a reason a line.

    What is no reason to send clients elsewhere, such as a damaged chunk or odd ETags, follows the `ok`.
    """
    services = request.app[SERVICES]
    found = await services.health.check()
    problems = [f"store {alias}: {health.problem}" for alias, health in found.items() if health.problem]
    if services.stopping.is_set():
        problems.append("stopping")
    if problems:
        return plain_error(503, "".join(f"{problem}\n" for problem in problems))
    remarks = [
        f"store {alias}: {remark}"
        for alias, health in found.items()
        for remark in (health.damage, health.oddity)
        if remark
    ]
    body = "".join(f"{line}\n" for line in ("ok", *remarks)).encode(errors="replace")
    return web.Response(body=body, content_type="text/plain")
