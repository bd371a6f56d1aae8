"""Google Cloud Storage beyond the contract: who we are, and what is sent."""

import json
from pathlib import Path

import pytest
from aiohttp import web

from dvidpc.errors import StoreError, StoreRefusedError
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.gcs.google_credentials import credentials_file
from dvidpc.storage.opening import open_store
from tests.servers import GoogleServer, serve
from tests.storage.contract import LIMITS

HEADERS = {"ETag": '"1"', "Last-Modified": "Wed, 01 Jan 2025 00:00:00 GMT"}


def write_key(folder: Path, token_uri: str) -> dict[str, str]:
    """An environment that names a credentials file."""
    file = folder / "adc.json"
    key = {"client_id": "a", "client_secret": "made-up-secret", "refresh_token": "made-up"}
    file.write_text(json.dumps(key | {"type": "authorized_user", "token_uri": token_uri}))
    return {"GOOGLE_APPLICATION_CREDENTIALS": str(file)}


async def test_emulator_of_the_environment_is_read_unsigned(
    google_server: GoogleServer, bucket_name: str
) -> None:
    google_server.make_bucket(bucket_name)
    google_server.put(bucket_name, "image/info", b"{}")
    host = google_server.url.removeprefix("http://")
    access = BucketAccess(f"{bucket_name}/image")
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
        access = BucketAccess("gs://bucket", endpoint=server.url, user_project="my-project")
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
        access = BucketAccess("gs://bucket", endpoint=server.url, anonymous=True)
        environ = {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "absent")}
        store = await open_store(access, LIMITS, environ=environ)
        assert await store.get("info", max_size=9) is not None
        await store.close()
    assert "Authorization" not in server.asked[0].headers


async def test_token_that_is_refused_is_fetched_anew(tmp_path: Path) -> None:
    valid = "tok-1"

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/token":
            return web.json_response({"access_token": valid, "expires_in": 3600})
        if request.headers["Authorization"] != f"Bearer {valid}":
            return web.Response(status=401)
        return web.Response(body=b"{}", headers=HEADERS)

    async with serve(answer) as server:
        access = BucketAccess("gs://bucket", endpoint=server.url)
        store = await open_store(access, LIMITS, environ=write_key(tmp_path, f"{server.url}/token"))
        assert await store.get("info", max_size=9) is not None
        valid = "tok-2"
        assert await store.get("info", max_size=9) is not None
        await store.close()


@pytest.mark.parametrize("content", [None, "", "not json", "[]", "{}x", '{"type": "unheard-of"}', '{"a": 1}'])
async def test_unusable_credentials_file_is_told_in_one_line(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "adc.json"
    if content is not None:
        file.write_text(content)
    environ = {"GOOGLE_APPLICATION_CREDENTIALS": str(file)}
    with pytest.raises(StoreRefusedError, match=r"gs://bucket.*adc\.json") as caught:
        await open_store(BucketAccess("gs://bucket"), LIMITS, environ=environ)
    assert "\n" not in str(caught.value)


async def test_token_that_is_no_header_is_told_in_one_line(tmp_path: Path) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"access_token": "made-up\r\nX-Evil: 1", "expires_in": 3600})

    async with serve(answer) as server:
        access = BucketAccess("gs://bucket", endpoint=server.url)
        store = await open_store(access, UpstreamLimits(attempts=1), environ=write_key(tmp_path, server.url))
        with pytest.raises(StoreError, match=r"gs://bucket/info cannot be requested") as caught:
            await store.get("info", max_size=9)
        await store.close()
    assert "made-up" not in str(caught.value)


async def test_token_service_that_fails_is_told_without_what_it_said(tmp_path: Path) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=400, text='{"error": "invalid_grant", "echo": "made-up-secret"}')

    async with serve(answer) as server:
        environ = write_key(tmp_path, server.url)
        with pytest.raises(StoreError, match="token service answers 400") as caught:
            await open_store(BucketAccess("gs://bucket"), LIMITS, environ=environ)
    assert "made-up-secret" not in str(caught.value)


def test_file_is_where_google_says() -> None:
    name = "application_default_credentials.json"
    assert credentials_file({"GOOGLE_APPLICATION_CREDENTIALS": "/k.json"}) == (Path("/k.json"), True)
    assert credentials_file({"CLOUDSDK_CONFIG": "/conf"}) == (Path("/conf") / name, False)
    assert credentials_file({"HOME": "/home/me"}) == (Path("/home/me/.config/gcloud") / name, False)
