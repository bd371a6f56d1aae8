"""Bodies are read within a bound."""

import aiohttp
import pytest
from aiohttp import web
from multidict import CIMultiDict

from dvidpc.storage.http.response_bodies import encoding_of, read_body, read_refusal
from tests.servers import serve


@pytest.mark.parametrize(
    ("most", "expected"), [(0, 0), (1, 1), (99_999, 99_999), (100_000, 100_000), (10**6, 100_000)]
)
async def test_no_more_than_the_bound_is_returned(most: int, expected: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=bytes(100_000))

    async with (
        serve(answer) as server,
        aiohttp.ClientSession() as session,
        session.get(server.url) as response,
    ):
        assert await read_body(response, most) == bytes(expected)


@pytest.mark.parametrize(
    ("status", "code"), [(403, "AccessDenied"), (404, "AccessDenied"), (500, ""), (301, "")]
)
async def test_code_is_read_where_it_matters(status: int, code: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text="<Error><Code>AccessDenied</Code></Error>")

    async with serve(answer) as server, aiohttp.ClientSession() as session:
        refusal = await read_refusal(await session.get(server.url, allow_redirects=False))
    assert (refusal.status, refusal.code) == (status, code)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], None),
        ([("Content-Encoding", "gzip")], "gzip"),
        ([("Content-Encoding", "aws-chunked"), ("content-encoding", "gzip")], "aws-chunked, gzip"),
    ],
)
async def test_encodings_of_several_headers_are_joined(
    headers: list[tuple[str, str]], expected: str | None
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(headers=CIMultiDict(headers))

    async with (
        serve(answer) as server,
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(server.url) as response,
    ):
        assert encoding_of(response) == expected


@pytest.mark.parametrize(("status", "needs_tls"), [(400, True), (403, False)])
async def test_server_that_wants_https_is_understood(status: int, *, needs_tls: bool) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text="Client sent an HTTP request to an HTTPS server.")

    async with serve(answer) as server, aiohttp.ClientSession() as session:
        refusal = await read_refusal(await session.get(server.url))
    assert refusal.needs_tls is needs_tls
