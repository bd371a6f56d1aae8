"""The end of an object is found in the answer of any server, or read in another way."""

import contextlib
from collections.abc import Callable

import pytest
from aiohttp import web

from dvidpc.errors import FormatError, StoreError
from dvidpc.storage.base import Blob, BucketAccess
from dvidpc.storage.http.tails import bytes_to_read
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from tests.servers import Handler, WebServer, serve
from tests.storage.contract import LIMITS

DATA = bytes(range(100))
Answer = Callable[[str], web.Response]
"""Makes the response to a value of `Range`."""


def part(start: int, stop: int, total: str = "100") -> web.Response:
    content_range = f"bytes {start}-{stop - 1}/{total}"
    return web.Response(
        status=206, body=DATA[start:stop], headers={"Content-Range": content_range, "ETag": '"1"'}
    )


def plain_ranges(wanted: str) -> web.Response:
    start, stop = wanted.removeprefix("bytes=").split("-")
    return part(int(start), int(stop) + 1)


async def read_tails(handler: Handler, sizes: list[int]) -> tuple[list[Blob | None], WebServer]:
    async with serve(handler) as server:
        store = await open_store(BucketAccess(parse_ref(f"{server.url}/image")), LIMITS, environ={})
        try:
            return [await store.get_tail("0.shard", size) for size in sizes], server
        finally:
            await store.close()


def asks(server: WebServer) -> list[str]:
    return [request.headers["Range"] for request in server.asked]


async def test_one_request_is_sent_to_a_server_that_knows_suffixes() -> None:
    async def answer(request: web.Request) -> web.Response:
        return part(100 - int(request.headers["Range"].removeprefix("bytes=-")), 100)

    blobs, server = await read_tails(answer, [10, 36])
    assert [blob.data for blob in blobs if blob] == [DATA[-10:], DATA[-36:]]
    assert asks(server) == ["bytes=-10", "bytes=-36"]
    assert server.asked[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    "misread",
    [
        lambda _: web.Response(body=DATA),
        lambda _: part(0, 11),
        lambda _: part(0, 100),
        lambda _: part(90, 100, "*"),
        lambda _: web.Response(status=416),
        lambda _: web.Response(status=416, headers={"Content-Range": "bytes */100"}),
        lambda _: web.Response(status=206, body=DATA[90:]),
    ],
)
async def test_server_that_does_not_know_suffixes_is_asked_by_position_from_then_on(misread: Answer) -> None:
    async def answer(request: web.Request) -> web.Response:
        wanted = request.headers["Range"]
        return misread(wanted) if wanted.startswith("bytes=-") else plain_ranges(wanted)

    blobs, server = await read_tails(answer, [10, 36])
    assert [blob.data for blob in blobs if blob] == [DATA[-10:], DATA[-36:]]
    assert asks(server) == ["bytes=-10", "bytes=0-0", "bytes=90-99", "bytes=0-0", "bytes=64-99"]
    assert "If-Match" in server.asked[2].headers


async def test_server_that_ignores_all_ranges_is_read_whole_if_that_is_little() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=DATA)

    blobs, server = await read_tails(answer, [50, 100])
    assert [blob.data for blob in blobs if blob] == [DATA[-50:], DATA]
    assert len(server.asked) == 2
    with pytest.raises(StoreError, match="all of it instead of a range"):
        await read_tails(answer, [49])


async def test_whole_object_of_unknown_size_is_bounded() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            for _ in range(1024):
                await response.write(bytes(1 << 20))
                written.append(1)
        return response

    written: list[int] = []
    with pytest.raises(StoreError, match="does not say how large it is"):
        await read_tails(answer, [10])
    assert len(written) < 200


@pytest.mark.parametrize(
    "short",
    [
        lambda _: part(0, 5, "5"),
        lambda _: web.Response(status=416, headers={"Content-Range": "bytes */0"}),
        lambda _: web.Response(status=206, headers={"Content-Range": "bytes 0--1/0"}),
        lambda _: web.Response(),
        lambda _: web.Response(body=DATA[:5]),
    ],
)
async def test_shorter_object_is_a_format_error(short: Answer) -> None:
    async def answer(request: web.Request) -> web.Response:
        return short(request.headers["Range"])

    with pytest.raises(FormatError, match=r"0\.shard ends at byte (0|5); at least 10 bytes were expected"):
        await read_tails(answer, [10])


async def test_shorter_object_is_a_format_error_without_suffixes_too() -> None:
    async def answer(request: web.Request) -> web.Response:
        wanted = request.headers["Range"]
        return web.Response(status=416) if wanted.startswith("bytes=-") else plain_ranges(wanted)

    with pytest.raises(FormatError, match=r"0\.shard ends at byte 100; at least 101 bytes were expected"):
        await read_tails(answer, [101])


async def test_body_shorter_than_its_range_is_retried() -> None:
    async def answer(_: web.Request) -> web.Response:
        asked.append(1)
        response = part(90, 100)
        return response if len(asked) > 1 else web.Response(status=206, body=b"9", headers=response.headers)

    asked: list[int] = []
    [blob], server = await read_tails(answer, [10])
    assert blob is not None
    assert blob.data == DATA[-10:]
    assert len(server.asked) == 2


def test_encoded_body_is_a_failure() -> None:
    for status in (200, 206):
        with pytest.raises(StoreError, match=r"a cannot be read: the server encodes it \('gzip'\)"):
            bytes_to_read("a", 4, status, "bytes 6-9/10", "gzip")
    assert bytes_to_read("a", 4, 206, "bytes 6-9/10", "identity") == 4
