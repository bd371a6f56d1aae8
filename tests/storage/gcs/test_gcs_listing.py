"""Google buckets are listed by gcloud-aio-storage, and whatever goes wrong is one of our errors."""

import asyncio
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import web

from dvidpc.errors import StoreError, StoreRefusedError
from dvidpc.storage.base import BucketAccess
from dvidpc.storage.ref import parse_ref
from tests.servers import GoogleServer, Handler, WebServer, serve
from tests.storage.gcs.google_keys import write_key
from tests.storage.kinds import ACCESS_TOKEN
from tests.storage.listings import OBJECTS, list_all


def page_of(*keys: str, token: str = "") -> web.Response:
    page: dict[str, object] = {"items": [{"name": key, "size": "1"} for key in keys]} if keys else {}
    return web.json_response(page | ({"nextPageToken": token} if token else {}))


def listing(make: Callable[[web.Request], web.Response]) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        return make(request)

    return answer


def bucket_at(url: str) -> BucketAccess:
    return BucketAccess(parse_ref("gs://bucket/em"), endpoint=url, anonymous=True)


async def test_objects_below_a_directory_are_listed_and_none_beside(
    google_server: GoogleServer, bucket_name: str
) -> None:
    google_server.make_bucket(bucket_name)
    for key, size in OBJECTS.items():
        google_server.put(bucket_name, key, bytes(size))
    access = BucketAccess(parse_ref(f"gs://{bucket_name}/em"), endpoint=google_server.url, anonymous=True)
    assert await list_all(access, "s0") == [("a", 1), ("b", 0), ("deep/c", 3)]
    assert len(await list_all(access, "")) == len(OBJECTS)
    assert await list_all(access, "s1") == []


async def test_odd_keys_are_listed_as_they_are(google_server: GoogleServer, bucket_name: str) -> None:
    keys = ["a b", "+", "%20", "ü", "a&b<c>", "mesh/1:0"]
    google_server.make_bucket(bucket_name)
    for key in keys:
        google_server.put(bucket_name, f"em/{key}", b"1")
    access = BucketAccess(parse_ref(f"gs://{bucket_name}"), endpoint=google_server.url, anonymous=True)
    assert [name for name, _ in await list_all(access, "em")] == sorted(keys)


async def test_bucket_of_more_than_one_page_is_listed_whole(
    google_server: GoogleServer, bucket_name: str
) -> None:
    google_server.make_bucket(bucket_name)

    def fill() -> None:
        for number in range(1001):
            google_server.put(bucket_name, f"s0/{number:04}", b"1")

    await asyncio.to_thread(fill)
    access = BucketAccess(parse_ref(f"gs://{bucket_name}"), endpoint=google_server.url, anonymous=True)
    assert await list_all(access, "s0") == [(f"{number:04}", 1) for number in range(1001)]


async def test_page_that_fails_is_listed_again_from_where_it_was() -> None:
    asked: list[tuple[str | None, str | None]] = []

    def answer(request: web.Request) -> web.Response:
        token, after = request.query.get("pageToken"), request.query.get("startOffset")
        asked.append((token, after))
        if token and not after:
            return web.Response(status=503)
        if after:
            return page_of("em/s0/b", "em/s0/c")  # the service begins with the offset itself
        return page_of("em/s0/a", "em/s0/b", token="next")

    async with serve(listing(answer)) as server:
        assert [name for name, _ in await list_all(bucket_at(server.url), "s0")] == ["a", "b", "c"]
    assert asked == [(None, None), ("next", None), (None, "em/s0/b")]


async def test_listing_that_keeps_failing_does_not_look_complete() -> None:
    async with serve(listing(lambda _: web.Response(status=500, text="secret"))) as server:
        with pytest.raises(StoreError, match=r"s0 cannot be listed: the service answers 500$"):
            await list_all(bucket_at(server.url), "s0")
        assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("status", "words"), [(401, "may not list"), (403, "may not list"), (404, "there is no such bucket")]
)
async def test_listing_that_is_refused_is_a_refusal(status: int, words: str) -> None:
    async with serve(listing(lambda _: web.Response(status=status, text="secret"))) as server:
        with pytest.raises(StoreRefusedError, match=words) as raised:
            await list_all(bucket_at(server.url), "s0")
        assert len(server.asked) == 1
    assert raised.value.status == status
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"<html>welcome</html>",
        b"[]",
        b"null",
        b'{"items": {}, "nextPageToken": 1, "items": 3}',
        b'{"items": [3]}',
        b'{"items": [{"name": "em/s0/a"}]}',
        b'{"items": [{"name": "em/s0/a", "size": "many"}]}',
    ],
)
async def test_answer_that_is_not_a_listing_is_a_failure(body: bytes) -> None:
    async with serve(listing(lambda _: web.Response(body=body))) as server:
        with pytest.raises(StoreError, match="s0 cannot be listed: the response is not a listing"):
            await list_all(bucket_at(server.url), "s0")


async def test_compressed_answer_is_understood() -> None:
    def answer(_: web.Request) -> web.Response:
        body = gzip.compress(b'{"items": [{"name": "em/s0/a", "size": "1"}]}')
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    async with serve(listing(answer)) as server:
        assert await list_all(bucket_at(server.url), "s0") == [("a", 1)]


async def test_server_that_is_away_is_an_error() -> None:
    with pytest.raises(StoreError, match="s0 cannot be listed: the server cannot be reached"):
        await list_all(bucket_at("http://127.0.0.1:1"), "s0")


async def test_token_and_project_are_sent(tmp_path: Path, token_server: WebServer) -> None:
    environ = write_key(tmp_path, token_server.url)
    async with serve(listing(lambda _: page_of("em/s0/a"))) as server:
        signed = BucketAccess(parse_ref("gs://bucket/em"), endpoint=server.url, user_project="mine")
        assert await list_all(signed, "s0", environ) == [("a", 1)]
        assert await list_all(bucket_at(server.url), "s0", environ) == [("a", 1)]
    first, second = server.asked
    assert first.path == "/storage/v1/b/bucket/o"
    assert first.headers["Authorization"] == f"Bearer {ACCESS_TOKEN}"
    assert first.headers["x-goog-user-project"] == "mine"
    assert not {"Authorization", "x-goog-user-project"} & set(second.headers)


async def test_emulator_of_the_environment_is_listed(google_server: GoogleServer, bucket_name: str) -> None:
    google_server.make_bucket(bucket_name)
    google_server.put(bucket_name, "em/info", b"{}")
    environ = {"STORAGE_EMULATOR_HOST": google_server.url}
    assert await list_all(BucketAccess(parse_ref(f"{bucket_name}/em")), "", environ) == [("info", 2)]


async def test_requests_go_through_the_proxy() -> None:
    async with serve(listing(lambda _: page_of("em/s0/a"))) as proxy:
        access = bucket_at("http://bucket.invalid")
        assert await list_all(access, "s0", {"http_proxy": proxy.url}) == [("a", 1)]
    assert proxy.asked[-1].raw_path.startswith("http://bucket.invalid/storage/v1/b/bucket/o?")
