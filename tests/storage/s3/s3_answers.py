"""Answers of S3, and what its requests say."""

from collections.abc import Callable

from aiohttp import web

from dvidpc.storage.base import BucketAccess, ObjectStore, UpstreamLimits
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from dvidpc.types import ByteRange
from tests.servers import WebServer, serve
from tests.storage.contract import LIMITS
from tests.storage.kinds import SECRET

HEADERS = {"ETag": '"1"', "Last-Modified": "Wed, 01 Jan 2025 00:00:00 GMT"}


def found(body: bytes = b"{}") -> web.Response:
    return web.Response(body=body, headers=HEADERS)


def error(status: int, code: str, **headers: str) -> web.Response:
    """Return an error as S3 writes it, with the secrets that S3 quotes."""
    body = (
        f"<Error><Code>{code}</Code><AWSAccessKeyId>AKIDTEST</AWSAccessKeyId><Token>{SECRET}</Token></Error>"
    )
    return web.Response(status=status, text=body, headers=headers)


async def open_at(server: WebServer, limits: UpstreamLimits = LIMITS, **settings: object) -> ObjectStore:
    access = BucketAccess(parse_ref("s3://bucket/image"), endpoint=server.url, **settings)  # type: ignore[arg-type]
    return await open_store(access, limits, environ={})


def signed_region(request: web.Request) -> str:
    return request.headers["Authorization"].split("/")[2]


def signed_by(request: web.Request) -> str:
    return request.headers["Authorization"].split("Credential=")[1].split("/")[0]


def refusing(status: int, code: str = "AccessDenied") -> Callable[[web.Request], web.Response]:
    return lambda request: web.Response() if request.method == "HEAD" else error(status, code)


class AbsentReads:
    """The base of tests of answers that are not an object."""

    asked: int
    """How often the last `read` requested the object."""

    async def read(
        self, make: Callable[[web.Request], web.Response], *, reads_first: str = "", **settings: object
    ) -> int:
        """Read an object, which must be missing, in both ways; return the number of requests.

        Args:
            make: Answers requests.
            reads_first: An object that is read before and is not missing; empty for none.
            settings: Of the `BucketAccess`.
        """

        async def answer(request: web.Request) -> web.Response:
            return make(request)

        async with serve(answer) as server:
            store = await open_at(server, **settings)  # type: ignore[arg-type]
            try:
                if reads_first:
                    assert await store.get(reads_first, max_size=9)
                assert await store.get("info", max_size=9) is None
                assert await store.get_range("info", ByteRange(0, 4)) is None
            finally:
                await store.close()
                self.asked = sum(request.method == "GET" for request in server.asked)
        return self.asked
