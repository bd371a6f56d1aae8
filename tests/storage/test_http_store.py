"""Plain web servers, read by aiohttp."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from dvidpc.storage.base import BucketAccess
from tests.servers import serve, serve_directory
from tests.storage.contract import Bucket, StoreContract


class TestWebServer(StoreContract):
    @pytest_asyncio.fixture
    async def bucket(self, tmp_path: Path) -> AsyncIterator[Bucket]:
        suffixes = {"gzip": ".gz", "br": ".br", "zstd": ".zstd"}

        def put(key: str, data: bytes, encoding: str | None) -> None:
            file = tmp_path / "image" / (key + suffixes.get(encoding or "", ""))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

        async with serve(serve_directory(tmp_path)) as server:
            yield Bucket(BucketAccess(f"{server.url}/image"), put)
