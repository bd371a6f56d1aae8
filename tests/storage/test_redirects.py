"""No credential reaches another host, wherever a redirect points."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from dvidpc.errors import StoreError, StoreRefusedError
from dvidpc.storage.base import BucketAccess, ObjectStore
from dvidpc.storage.opening import open_store
from dvidpc.types import ByteRange
from tests.servers import WebServer, serve
from tests.storage.contract import LIMITS

SECRETS = ("made-up-secret", "made-up-token", "AKIDTEST")


@pytest_asyncio.fixture
async def other() -> AsyncIterator[WebServer]:
    """Where the redirects point; it answers as if it were the bucket."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(
            body=b"{}", headers={"ETag": '"1"', "Last-Modified": "Wed, 01 Jan 2025 00:00:00 GMT"}
        )

    async with serve(answer) as server:
        yield server


@pytest_asyncio.fixture
async def bucket(other: WebServer) -> AsyncIterator[WebServer]:
    async def answer(request: web.Request) -> web.Response:
        location = f"{other.url}/trap?at={request.path}"
        return web.Response(status=307, headers={"Location": location, "x-amz-bucket-region": "eu-west-1"})

    async with serve(answer) as server:
        yield server


async def read_anything(store: ObjectStore) -> None:
    """Whether a redirect is followed is obstore's affair; whether it is an error, too."""
    for _ in range(2):
        try:
            await store.get("info", max_size=100)
            await store.get_range("0.shard", ByteRange(0, 2), etag='"1"')
        except StoreError:
            pass
    await store.close()


def assert_no_secret(bucket: WebServer, other: WebServer) -> None:
    """Obstore follows redirects; `Authorization` stays behind, a temporary key's session token would not."""
    assert any("Authorization" in request.headers for request in bucket.asked), "the bucket saw a signature"
    for request in other.asked:
        assert "Authorization" not in request.headers
        sent = f"{request.raw_path} {dict(request.headers)}"
        assert not any(secret in sent for secret in SECRETS)


@pytest.mark.usefixtures("dotfile")
async def test_s3(bucket: WebServer, other: WebServer) -> None:
    access = BucketAccess("s3://bucket/image", endpoint=bucket.url)
    await read_anything(await open_store(access, LIMITS, environ={}))
    assert_no_secret(bucket, other)


async def test_google(bucket: WebServer, other: WebServer, token_server: WebServer, tmp_path: Path) -> None:
    key = {"client_id": "a", "client_secret": "b", "refresh_token": "c", "token_uri": token_server.url}
    (tmp_path / "adc.json").write_text(json.dumps(key | {"type": "authorized_user"}))
    access = BucketAccess("gs://bucket/image", endpoint=bucket.url)
    environ = {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "adc.json")}
    await read_anything(await open_store(access, LIMITS, environ=environ))
    assert_no_secret(bucket, other)


async def test_web_server_is_not_followed_at_all(bucket: WebServer, other: WebServer) -> None:
    store = await open_store(BucketAccess(f"{bucket.url}/image"), LIMITS, environ={})
    host = other.url.removeprefix("http://")
    with pytest.raises(StoreRefusedError, match=f"307 to '{host}'") as caught:
        await store.get("info", max_size=100)
    with pytest.raises(StoreRefusedError, match="not followed"):
        await store.get_range("0.shard", ByteRange(0, 2))
    await store.close()
    assert "trap" not in str(caught.value)
    assert other.asked == []
    assert len(bucket.asked) == 2
