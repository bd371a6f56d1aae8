"""Google Cloud Storage does what every kind of store must; and what is sent to it."""

from pathlib import Path

import pytest
from aiohttp import web

from dvidpc.errors import StoreError
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from tests.servers import GoogleServer, WebServer, serve
from tests.storage.contract import LIMITS, Bucket, StoreContract
from tests.storage.gcs.google_keys import write_key

HEADERS = {"ETag": '"1"', "Last-Modified": "Wed, 01 Jan 2025 00:00:00 GMT"}


class TestGoogle(StoreContract):
    @pytest.fixture
    def bucket(
        self, google_server: GoogleServer, token_server: WebServer, bucket_name: str, tmp_path: Path
    ) -> Bucket:
        google_server.make_bucket(bucket_name)

        def put(key: str, data: bytes, encoding: str | None) -> None:
            google_server.put(bucket_name, f"image/{key}", data, encoding)

        return Bucket(
            BucketAccess(parse_ref(f"gs://{bucket_name}/image"), endpoint=google_server.url),
            put,
            f"{google_server.url} gs://{bucket_name}/image",
            write_key(tmp_path, token_server.url),
        )


async def test_emulator_of_the_environment_is_read_unsigned(
    google_server: GoogleServer, bucket_name: str
) -> None:
    google_server.make_bucket(bucket_name)
    google_server.put(bucket_name, "image/info", b"{}")
    host = google_server.url.removeprefix("http://")
    access = BucketAccess(parse_ref(f"{bucket_name}/image"))
    store = await open_store(access, LIMITS, environ={"STORAGE_EMULATOR_HOST": host})
    blob = await store.get("info", max_size=9)
    await store.close()
    assert blob is not None


async def test_token_encodings_and_project_are_sent(tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/token":
            return web.json_response({"access_token": "tok-1", "expires_in": 3600})
        return web.Response(body=b"{}", headers=HEADERS)

    async with serve(answer) as server:
        access = BucketAccess(parse_ref("gs://bucket"), endpoint=server.url, user_project="my-project")
        store = await open_store(access, LIMITS, environ=write_key(tmp_path, f"{server.url}/token"))
        for _ in range(3):
            await store.get("info", max_size=9)
        await store.close()
    token, *reads = server.asked
    assert token.path == "/token"
    assert {request.path for request in reads} == {"/bucket/info"}
    for request in reads:
        assert request.headers["Authorization"] == "Bearer tok-1"
        assert request.headers["Accept-Encoding"] == "gzip"
        assert request.headers["x-goog-user-project"] == "my-project"


async def test_anonymous_requests_carry_no_token(tmp_path: Path) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"{}", headers=HEADERS)

    async with serve(answer) as server:
        access = BucketAccess(parse_ref("gs://bucket"), endpoint=server.url, anonymous=True)
        environ = {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "absent")}
        store = await open_store(access, LIMITS, environ=environ)
        assert await store.get("info", max_size=9) is not None
        await store.close()
    assert "Authorization" not in server.asked[0].headers


async def test_token_that_is_refused_is_replaced(tmp_path: Path) -> None:
    valid = "tok-1"

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/token":
            return web.json_response({"access_token": valid, "expires_in": 3600})
        if request.headers["Authorization"] != f"Bearer {valid}":
            return web.Response(status=401)
        return web.Response(body=b"{}", headers=HEADERS)

    async with serve(answer) as server:
        access = BucketAccess(parse_ref("gs://bucket"), endpoint=server.url)
        store = await open_store(access, LIMITS, environ=write_key(tmp_path, f"{server.url}/token"))
        assert await store.get("info", max_size=9) is not None
        valid = "tok-2"
        assert await store.get("info", max_size=9) is not None
        await store.close()


async def test_token_that_is_no_header_is_reported_in_one_line(tmp_path: Path) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"access_token": "made-up\r\nX-Evil: 1", "expires_in": 3600})

    async with serve(answer) as server:
        access = BucketAccess(parse_ref("gs://bucket"), endpoint=server.url)
        with pytest.raises(
            StoreError, match=r"gs://bucket: the Google token is no text that a header"
        ) as caught:
            await open_store(access, UpstreamLimits(attempts=1), environ=write_key(tmp_path, server.url))
    assert "made-up" not in str(caught.value)
