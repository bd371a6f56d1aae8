"""How S3 answers, and what it was asked."""

from collections.abc import Callable

from aiohttp import web

from dvidpc.storage.base import BucketAccess, ObjectStore, UpstreamLimits
from dvidpc.storage.opening import open_store
from tests.servers import WebServer
from tests.storage.contract import LIMITS
from tests.storage.kinds import SECRET

HEADERS = {"ETag": '"1"', "Last-Modified": "Wed, 01 Jan 2025 00:00:00 GMT"}


def found(body: bytes = b"{}") -> web.Response:
    return web.Response(body=body, headers=HEADERS)


def error(status: int, code: str, **headers: str) -> web.Response:
    """As S3 writes them, with the things that S3 quotes."""
    body = (
        f"<Error><Code>{code}</Code><AWSAccessKeyId>AKIDTEST</AWSAccessKeyId><Token>{SECRET}</Token></Error>"
    )
    return web.Response(status=status, text=body, headers=headers)


async def open_at(server: WebServer, limits: UpstreamLimits = LIMITS, **settings: object) -> ObjectStore:
    access = BucketAccess("s3://bucket/image", endpoint=server.url, **settings)  # type: ignore[arg-type]
    return await open_store(access, limits, environ={})


def signed_region(request: web.Request) -> str:
    return request.headers["Authorization"].split("/")[2]


def signed_by(request: web.Request) -> str:
    return request.headers["Authorization"].split("Credential=")[1].split("/")[0]


def refusing(status: int, code: str = "AccessDenied") -> Callable[[web.Request], web.Response]:
    return lambda request: web.Response() if request.method == "HEAD" else error(status, code)
