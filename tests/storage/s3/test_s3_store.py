"""S3 does what every kind of store must; and how it fails."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from aiohttp import web

from dvidpc.errors import StoreError, StoreRefusedError, StoreTimeoutError
from dvidpc.storage.absence import FRESH_S
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from dvidpc.types import ByteRange
from tests.servers import S3Server, serve
from tests.storage.contract import LIMITS, Bucket, StoreContract
from tests.storage.kinds import SECRET
from tests.storage.s3.s3_answers import HEADERS, AbsentReads, error, found, open_at, refusing, signed_by


class TestS3(StoreContract):
    @pytest.fixture
    def bucket(self, s3_server: S3Server, bucket_name: str, dotfile: Path) -> Bucket:
        assert dotfile.exists()
        s3_server.make_bucket(bucket_name)

        def put(key: str, data: bytes, encoding: str | None) -> None:
            s3_server.put(bucket_name, f"my data/image/{key}", data, encoding)

        return Bucket(
            BucketAccess(parse_ref(f"s3://{bucket_name}/my data/image/"), endpoint=s3_server.url),
            put,
            identity=f"{s3_server.url} s3://{bucket_name}/my data/image",
        )


@pytest.mark.usefixtures("dotfile")
class TestFailures(AbsentReads):
    @pytest.mark.parametrize("status", [401, 403])
    async def test_refusal_is_an_error_and_not_retried(self, status: int) -> None:
        with pytest.raises(StoreRefusedError, match=rf"s3://bucket/image/info.*{status}") as caught:
            await self.read(refusing(status))
        assert self.asked == 1
        assert SECRET not in str(caught.value)
        assert "AKIDTEST" not in str(caught.value)
        assert "\n" not in str(caught.value)

    async def test_listed_refusal_means_missing_where_other_objects_are_read(self) -> None:
        def make(request: web.Request) -> web.Response:
            return found() if request.path.endswith("/other") else refusing(403)(request)

        listed = frozenset({403, 404})
        with pytest.raises(StoreRefusedError, match="wrong or expired"):
            await self.read(make, missing_status=listed)
        assert await self.read(make, reads_first="other", missing_status=listed) == 3

    async def test_not_found_is_an_error_if_not_listed(self) -> None:
        with pytest.raises(StoreRefusedError, match="404"):
            await self.read(refusing(404, "NoSuchKey"), missing_status=frozenset())

    @pytest.mark.parametrize("status", [400, 405, 429, 500, 502, 503])
    async def test_other_statuses_are_errors(self, status: int) -> None:
        with pytest.raises(StoreError, match=rf"s3://bucket/image/info.*{status}") as caught:
            await self.read(refusing(status, "SlowDown"))
        assert self.asked == 3
        assert SECRET not in str(caught.value)
        assert "\n" not in str(caught.value)

    async def test_refused_connection_is_an_error(self) -> None:
        access = BucketAccess(parse_ref("s3://bucket/image"), endpoint="http://127.0.0.1:1")
        store = await open_store(access, LIMITS, environ={})
        with pytest.raises(
            StoreError, match="info cannot be read: the server cannot be reached: connection refused"
        ):
            await store.get("info", max_size=9)
        await store.close()

    async def test_whole_object_for_a_range_is_an_error_and_not_read(self) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            if request.method == "HEAD":
                return web.Response()
            response = web.StreamResponse(headers=HEADERS | {"Content-Length": str(1 << 30)})
            await response.prepare(request)
            try:
                for _ in range(1024):
                    await response.write(bytes(1 << 20))
                    written.append(1)
            except ConnectionError:
                pass
            return response

        written: list[int] = []
        async with serve(answer) as server:
            store = await open_at(server, UpstreamLimits(attempts=1))
            with pytest.raises(StoreError, match="all of it instead of a range"):
                await store.get_range("0.shard", ByteRange(100, 116))
            await store.close()
        assert len(written) < 32

    async def test_body_that_goes_on_beyond_its_length_is_not_read(self) -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
            lengths = "Content-Length: 10\r\nTransfer-Encoding: chunked\r\n"
            writer.write(f"HTTP/1.1 200 OK\r\n{head}{lengths}\r\n".encode())
            with contextlib.suppress(ConnectionError):
                for _ in range(64):
                    writer.write(b"100000\r\n" + bytes(1 << 20) + b"\r\n")
                    await writer.drain()
                    written.append(1)
            writer.close()

        written: list[int] = []
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            access = BucketAccess(
                parse_ref("gs://bucket"), endpoint=f"http://127.0.0.1:{port}", anonymous=True
            )
            store = await open_store(access, UpstreamLimits(attempts=1), environ={})
            with pytest.raises(StoreError, match="malformed HTTP"):
                await store.get("info", max_size=100)
            await store.close()
        assert len(written) < 32

    async def test_connections_are_used_again(self) -> None:
        async def answer(request: web.Request) -> web.Response:
            assert request.transport is not None
            peers.add(request.transport.get_extra_info("peername"))
            return found()

        peers: set[object] = set()
        async with serve(answer) as server:
            access = BucketAccess(parse_ref("gs://bucket"), endpoint=server.url, anonymous=True)
            store = await open_store(access, LIMITS, environ={})
            for _ in range(20):
                await store.get("info", max_size=9)
            await store.close()
        assert len(peers) < 4

    async def test_silent_server_is_a_timeout(self) -> None:
        async def answer(request: web.Request) -> web.Response:
            if request.method == "HEAD":
                return web.Response()
            await request.content.readany()
            await never.wait()
            return found()

        never = asyncio.Event()
        async with serve(answer) as server:
            store = await open_at(server, UpstreamLimits(attempts=2, first_byte_timeout_s=0.2))
            with pytest.raises(StoreTimeoutError, match="s3://bucket/image/info"):
                await store.get("info", max_size=9)
            await store.close()

    async def test_key_that_no_line_can_hold_is_asked_for_and_named_on_one(self) -> None:
        async def answer(_: web.Request) -> web.Response:
            return error(500, "InternalError")

        async with serve(answer) as server:
            store = await open_at(server)
            with pytest.raises(StoreError) as caught:
                await store.get("a\rb", max_size=9)
            await store.close()
        assert server.asked[-1].raw_path == "/bucket/image/a%0Db"
        assert "\r" not in str(caught.value)


class Keys:
    """A service with one object that answers 403 to all keys but one, as Ceph does."""

    def __init__(self) -> None:
        self.valid = "AKIDTEST"

    async def __call__(self, request: web.Request) -> web.Response:
        if request.method == "HEAD":
            return web.Response()
        if signed_by(request) != self.valid or not request.path.endswith("/info"):
            return error(403, "AccessDenied")
        return found()


@pytest.mark.usefixtures("dotfile")
async def test_removed_key_is_an_error_even_if_refusals_mean_absence() -> None:
    keys = Keys()
    async with serve(keys) as server:
        store = await open_at(server, missing_status=frozenset({403, 404}))
        assert await store.get("info", max_size=9, is_metadata=True) is not None
        assert await store.get("0-64_0-64_0-64", max_size=9) is None
        keys.valid = "AKIDNEW"
        await asyncio.sleep(FRESH_S)
        for _ in range(3):
            with pytest.raises(StoreRefusedError, match="may have expired or been removed"):
                await store.get("0-64_0-64_0-64", max_size=9)
        with pytest.raises(StoreRefusedError, match="may not read it or are wrong or expired") as caught:
            await store.get("info", max_size=9, is_metadata=True)
        assert "missing_status" not in str(caught.value)
        await store.close()
