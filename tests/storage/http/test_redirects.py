"""Reads, listings and inspections follow no redirect, wherever it points and whoever sends it (row F9)."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from dvidpc.errors import StoreRefusedError
from dvidpc.storage.inspection import inspect_bucket
from dvidpc.storage.opening import open_store
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange
from tests.servers import WebServer, serve
from tests.storage.contract import LIMITS
from tests.storage.kinds import KINDS, SECRETS, access_to, write_credentials
from tests.storage.listings import list_all

REDIRECT = "<Error><Code>PermanentRedirect</Code></Error>"

pytestmark = pytest.mark.parametrize("kind", KINDS)


@pytest_asyncio.fixture
async def other() -> AsyncIterator[WebServer]:
    """Where the redirects point; it answers as if it were the bucket."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"{}", headers={"ETag": '"1"'})

    async with serve(answer) as server:
        yield server


@pytest.fixture
def environ(tmp_path: Path, token_server: WebServer) -> Mapping[str, str]:
    return write_credentials(tmp_path, token_server.url)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("region", ["", "eu-west-1"])
async def test_nothing_reaches_the_other_host(
    kind: str, status: int, region: str, other: WebServer, environ: Mapping[str, str]
) -> None:
    async def answer(request: web.Request) -> web.Response:
        location = f"{other.url}/trap?at={request.path}"
        return web.Response(status=status, headers={"Location": location, "x-amz-bucket-region": region})

    async with serve(answer) as bucket:
        store = await open_store(access_to(kind, bucket.url), LIMITS, environ=environ)
        host = other.url.removeprefix("http://")
        with pytest.raises(StoreRefusedError, match=f"not followed.*{status} to '{host}'") as caught:
            await store.get("info", max_size=100)
        with pytest.raises(StoreRefusedError, match="not followed"):
            await store.get_range("0.shard", ByteRange(0, 2), version=Version('"1"'))
        await store.close()
        if kind != "http":
            assert any("Authorization" in request.headers for request in bucket.asked), "it was signed"
    assert other.asked == []
    assert "trap" not in str(caught.value)
    assert not any(secret in str(caught.value) for secret in SECRETS)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("region", ["", "eu-west-1"])
async def test_no_listing_or_inspection_reaches_the_other_host(
    kind: str, status: int, region: str, other: WebServer, environ: Mapping[str, str]
) -> None:
    async def answer(request: web.Request) -> web.Response:
        location = f"{other.url}{request.path_qs}"
        headers = {"Location": location, "x-amz-bucket-region": region}
        return web.Response(status=status, text=REDIRECT, headers=headers)

    async with serve(answer) as bucket:
        access = access_to(kind, bucket.url)
        rights = await inspect_bucket(access, environ)
        if kind != "http":
            with pytest.raises(
                StoreRefusedError, match=f"cannot be listed: .*not followed.*{status}"
            ) as caught:
                await list_all(access, "s0", environ)
            assert caught.value.status == status
            assert not any(secret in str(caught.value) for secret in SECRETS)
            assert any("Authorization" in request.headers for request in bucket.asked), "it was signed"
    assert other.asked == []
    assert (rights.may_list, bool(rights.may_write)) == (None, False)
