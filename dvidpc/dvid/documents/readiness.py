"""Health checks for load balancers and supervisors: liveness and readiness."""

from aiohttp import web

from dvidpc.dvid.services import SERVICES
from dvidpc.http.error_responses import plain_error


async def healthz(_request: web.Request) -> web.StreamResponse:
    """Answer `/healthz`: 200 while the process runs."""
    return web.Response(body=b"ok\n", content_type="text/plain")


async def readyz(request: web.Request) -> web.StreamResponse:
    """Answer `/readyz`: 200 if every volume is readable and the server is not stopping.

    What is no reason to send clients elsewhere follows the `ok`: a damaged chunk, odd ETags, a label index
    that cannot be used, a disk cache that cannot be written.
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
        for remark in (health.damage, health.oddity, health.index)
        if remark
    ]
    if (trouble := services.disk_trouble()) is not None:
        remarks.append(f"disk cache: {trouble}")
    body = "".join(f"{line}\n" for line in ("ok", *remarks)).encode(errors="replace")
    return web.Response(body=body, content_type="text/plain")
