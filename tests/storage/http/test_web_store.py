"""Plain web servers do what every kind of store must."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from aiohttp import web

from dvidpc.storage.base import BucketAccess
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from tests.servers import serve, serve_directory
from tests.storage.contract import LIMITS, Bucket, StoreContract


class TestWebServer(StoreContract):
    @pytest_asyncio.fixture
    async def bucket(self, tmp_path: Path) -> AsyncIterator[Bucket]:
        suffixes = {"gzip": ".gz", "br": ".br", "zstd": ".zstd"}

        def put(key: str, data: bytes, encoding: str | None) -> None:
            file = tmp_path / "image" / (key + suffixes.get(encoding or "", ""))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

        async with serve(serve_directory(tmp_path)) as server:
            yield Bucket(BucketAccess(parse_ref(f"{server.url}/image")), put, identity=f"{server.url}/image")


async def test_path_of_the_ref_is_taken_as_written() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"{}")

    async with serve(answer) as server:
        for path in ("a%20b", "a b", "ü", "a+b", "a%2Fb"):
            store = await open_store(BucketAccess(parse_ref(f"{server.url}/{path}/")), LIMITS, environ={})
            await store.get("info", max_size=9)
            await store.close()
    assert [request.path for request in server.asked] == [
        "/a b/info",
        "/a b/info",
        "/ü/info",
        "/a+b/info",
        "/a/b/info",
    ]
    assert server.asked[-1].raw_path == "/a%2Fb/info"
