"""A response that fails early is an error, and one that fails late never looks complete."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientPayloadError, ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from dvidpc.errors import StoreError
from dvidpc.http.access_log import AccessLog
from dvidpc.http.cors import CORS, Cors
from dvidpc.http.lifetime import LIFETIME
from dvidpc.http.middleware import make_middleware
from dvidpc.http.streaming import WHOLE_SIZE, send, stream

Parts = AsyncGenerator[bytes, None]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Client = TestClient[web.Request, web.Application]


class Nothing:
    """Nothing is public."""

    is_all = False

    def holds(self, _request: web.BaseRequest) -> bool:
        """Return False."""
        return False


class Source:
    """Makes *count* parts of 1000 bytes, then raises *error*; counts the parts made."""

    def __init__(self, count: int, error: BaseException | None = None) -> None:
        self.count = count
        self.error = error
        self.made = 0
        self.closed = asyncio.Event()

    async def parts(self) -> Parts:
        """The parts."""
        try:
            for _ in range(self.count):
                self.made += 1
                yield b"x" * 1000
            if self.error is not None:
                raise self.error
        finally:
            self.closed.set()


LATE = 2 * WHOLE_SIZE // 1000
"""Parts of which the first have been sent when the last is made."""


@asynccontextmanager
async def streaming(source: Source, size: int | None = None) -> AsyncIterator[tuple[Client, AccessLog]]:
    async def handler(request: web.Request) -> web.StreamResponse:
        return await stream(request, source.parts(), size)

    async with serving(handler) as served:
        yield served


@asynccontextmanager
async def serving(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncIterator[tuple[Client, AccessLog]]:
    access_log = AccessLog(lambda _name: False)
    app = web.Application(middlewares=[make_middleware(access_log, lambda: None)])
    app[CORS] = Cors(("*",), allow_timing=False, public=Nothing())
    app[LIFETIME] = "max-age=60"
    app.router.add_get("/", handler)
    async with TestClient(TestServer(app, handler_cancellation=True)) as client:
        yield client, access_log
    access_log.flush()


def statuses(access_log: AccessLog) -> list[str]:
    return [status for _, status in access_log.requests]


async def body_of(response: ClientResponse, status: int = 200) -> bytes:
    assert response.status == status
    return await response.read()


@pytest.mark.parametrize(("count", "is_whole"), [(0, True), (1, True), (100, True), (LATE, False)])
async def test_a_small_response_has_its_length_and_a_large_one_is_chunked(
    count: int, *, is_whole: bool
) -> None:
    source = Source(count)
    async with streaming(source) as (client, access_log), client.get("/") as response:
        assert await body_of(response) == b"x" * 1000 * count
        assert ("Content-Length" in response.headers) == is_whole
        assert ("Transfer-Encoding" in response.headers) != is_whole
        assert ("ETag" in response.headers) == (is_whole and count > 0)
        assert response.headers["Cache-Control"] == "max-age=60"
        assert source.closed.is_set()
    assert statuses(access_log) == ["200"]


async def test_a_known_size_is_sent_instead_of_chunks() -> None:
    async with streaming(Source(LATE), 1000 * LATE) as (client, _), client.get("/") as response:
        assert response.headers["Content-Length"] == str(1000 * LATE)
        assert len(await body_of(response)) == 1000 * LATE


@pytest.mark.parametrize("size", [None, 5000])
async def test_head_makes_no_part(size: int | None) -> None:
    source = Source(5)
    async with streaming(source, size) as (client, _), client.head("/") as response:
        assert await body_of(response) == b""
        assert response.headers.get("Content-Length") == (None if size is None else "5000")
    assert source.made == 0


async def test_the_same_response_is_304_for_a_client_that_has_it() -> None:
    async with streaming(Source(3)) as (client, _):
        async with client.get("/") as response:
            etag = response.headers["ETag"]
        async with client.get("/", headers={"If-None-Match": etag}) as response:
            assert await body_of(response, 304) == b""


async def test_a_failure_before_the_first_byte_is_an_error_response() -> None:
    source = Source(100, StoreError("bucket down"))
    async with streaming(source) as (client, access_log), client.get("/") as response:
        assert await body_of(response, 503) == b"bucket down (/).\n"
        assert source.closed.is_set()
    assert statuses(access_log) == ["503"]


@pytest.mark.parametrize(
    ("error", "logged"),
    [
        (StoreError("bucket down"), "response cut off: /: bucket down"),
        (MemoryError(), "response cut off: /: out of memory"),
        (KeyError("bug"), "response cut off: /; this is a bug in dvidpc"),
    ],
)
@pytest.mark.parametrize("size", [None, 1000 * LATE])
async def test_a_later_failure_cuts_the_connection(
    error: BaseException, logged: str, size: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "dvidpc")
    source = Source(LATE - 1, error)
    async with streaming(source, size) as (client, access_log), client.get("/") as response:
        with pytest.raises((ClientPayloadError, ConnectionError)):
            await body_of(response)
        assert source.closed.is_set()
    assert statuses(access_log) == ["cut"]
    assert [record.getMessage() for record in caplog.records] == [logged]


async def test_a_client_that_leaves_ends_the_work() -> None:
    source = Source(10**9)
    async with streaming(source) as (client, access_log):
        response = await client.get("/")
        await response.content.readexactly(WHOLE_SIZE)
        response.close()
        await asyncio.wait_for(source.closed.wait(), 10)
    assert statuses(access_log) == ["left"]


async def test_parts_in_hand_are_sent_in_order_and_counted() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return await send(request, [b"ab", memoryview(b"cd"), b""])

    async with serving(handler) as (client, access_log), client.get("/") as response:
        assert await body_of(response) == b"abcd"
        assert response.headers["Content-Length"] == "4"
        assert response.content_type == "application/octet-stream"
    [counts] = access_log.requests.values()
    assert counts.nbytes == 4
