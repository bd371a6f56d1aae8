"""An overloaded bucket of any kind gets fewer requests (rows F3 and F6)."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiohttp import web

from dvidpc.errors import StoreBusyError, StoreError, StoreTimeoutError
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.opening import open_store
from dvidpc.storage.retry.retrying_store import Gate
from dvidpc.types import ByteRange
from tests.servers import WebServer, serve
from tests.storage.kinds import KINDS, access_to, write_credentials

pytestmark = pytest.mark.parametrize("kind", KINDS)
ONCE = UpstreamLimits(attempts=1)


@pytest.fixture
def environ(tmp_path: Path, token_server: WebServer) -> Mapping[str, str]:
    return write_credentials(tmp_path, token_server.url)


async def fail(
    access: BucketAccess, limits: UpstreamLimits, environ: Mapping[str, str], gate: Gate | None = None
) -> StoreError:
    """Return what a read raises."""
    store = await open_store(access, limits, environ=environ, gate=gate)
    try:
        with pytest.raises(StoreError) as caught:
            await store.get_range("0.shard", ByteRange(0, 4))
    finally:
        await store.close()
    return caught.value


def gets(server: WebServer) -> int:
    return sum(request.method == "GET" for request in server.asked)


@pytest.mark.parametrize("status", [429, 503, 500, 502, 403])
async def test_f6_only_an_overloaded_bucket_gets_fewer_requests(
    kind: str, status: int, environ: Mapping[str, str]
) -> None:
    lowered = status in {429, 503}

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text="<Error><Code>SlowDown</Code></Error>")

    async with serve(answer) as server:
        gate = Gate(ONCE)
        failure = await fail(access_to(kind, server.url), ONCE, environ, gate)
    assert isinstance(failure, StoreBusyError) == lowered
    assert gate.limit.limit == (ONCE.concurrency // 2 if lowered else ONCE.concurrency)


@pytest.mark.parametrize("status", [429, 503])
async def test_f6_retry_after_is_understood(kind: str, status: int, environ: Mapping[str, str]) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Retry-After": "3"})

    async with serve(answer) as server:
        failure = await fail(access_to(kind, server.url), ONCE, environ)
    assert isinstance(failure, StoreBusyError)
    assert failure.retry_after_s == 3


@pytest.mark.parametrize(("retry_after", "attempts"), [("0", 3), ("6", 1)])
async def test_f6_retry_after_bounds_the_attempts(
    kind: str, retry_after: str, attempts: int, environ: Mapping[str, str]
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": retry_after})

    async with serve(answer) as server:
        limits = UpstreamLimits(backoff_min_s=0.001, backoff_max_s=0.001)
        await fail(access_to(kind, server.url), limits, environ)
        assert gets(server) == attempts


async def test_f3_a_body_that_stops_is_cut_long_before_the_attempt_ends(
    kind: str, environ: Mapping[str, str]
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        headers = {"Content-Range": "bytes 0-3/10", "Content-Length": "4", "ETag": '"1"'}
        response = web.StreamResponse(status=206, headers=headers)
        await response.prepare(request)
        await response.write(b"01")
        await asyncio.Event().wait()
        return response

    async with serve(answer) as server, asyncio.timeout(20):
        limits = UpstreamLimits(attempts=1, first_byte_timeout_s=0.3, attempt_timeout_s=60)
        failure = await fail(access_to(kind, server.url), limits, environ)
    assert isinstance(failure, StoreTimeoutError)
