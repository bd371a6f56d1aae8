"""S3 beyond the contract: regions, credentials, refusals, redirects."""

import asyncio
import contextlib
import logging
from pathlib import Path

import pytest
from aiohttp import web

from dvidpc.errors import ConfigError, StoreError, StoreRefusedError, StoreTimeoutError
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from dvidpc.storage.s3.region import choose_region
from dvidpc.storage.s3.s3_address import BucketAddress, locate_bucket
from dvidpc.types import ByteRange
from tests.servers import S3Server, serve
from tests.storage.conftest import write_keys
from tests.storage.contract import LIMITS
from tests.storage.kinds import SECRET
from tests.storage.s3.s3_answers import (
    HEADERS,
    AbsentReads,
    error,
    found,
    open_at,
    refusing,
    signed_by,
    signed_region,
)


class TestRegion:
    @pytest.mark.usefixtures("dotfile")
    async def test_wrong_region_is_found_out_and_remembered(self, caplog: pytest.LogCaptureFixture) -> None:
        async def answer(request: web.Request) -> web.Response:
            here = {"x-amz-bucket-region": "eu-west-1"}
            if request.method == "HEAD":
                return web.Response(status=301, headers=here)
            return (
                found() if signed_region(request) == "eu-west-1" else error(301, "PermanentRedirect", **here)
            )

        async with serve(answer) as server:
            store = await open_at(server, region="us-west-2")
            for _ in range(3):
                assert await store.get("info", max_size=9) is not None
            await store.close()
        heads = [request for request in server.asked if request.method == "HEAD"]
        assert len(heads) == 1
        assert "Authorization" not in heads[0].headers
        messages = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        assert messages == [
            's3://bucket/image is in region eu-west-1, not in us-west-2 as configured; set region = "eu-west-1"'
        ]

    @pytest.mark.usefixtures("dotfile")
    async def test_region_of_moto_is_found_out(self, s3_server: S3Server, bucket_name: str) -> None:
        s3_server.make_bucket(bucket_name, "eu-central-1")
        s3_server.put(bucket_name, "info", b"{}")
        access = BucketAccess(f"s3://{bucket_name}", endpoint=s3_server.url)
        store = await open_store(access, LIMITS, environ={})
        assert await store.get("info", max_size=9) is not None
        await store.close()

    @pytest.mark.usefixtures("dotfile")
    @pytest.mark.parametrize("told", ["", "EU WEST", "a" * 33, "evil.example.org/"])
    async def test_nonsense_is_not_believed(self, told: str) -> None:
        async def answer(request: web.Request) -> web.Response:
            return (
                web.Response(headers={"x-amz-bucket-region": told}) if request.method == "HEAD" else found()
            )

        async with serve(answer) as server:
            store = await open_at(server, region="us-west-2")
            await store.get("info", max_size=9)
            await store.close()
        assert signed_region(server.asked[-1]) == "us-west-2"

    @pytest.mark.usefixtures("dotfile")
    async def test_aws_region_of_the_environment_is_used(self) -> None:
        async def answer(_: web.Request) -> web.Response:
            return found()

        async with serve(answer) as server:
            access = BucketAccess("s3://bucket", endpoint=server.url)
            store = await open_store(access, LIMITS, environ={"AWS_REGION": "sa-east-1"})
            await store.get("info", max_size=9)
            await store.close()
        assert signed_region(server.asked[-1]) == "sa-east-1"

    def test_what_the_service_reports_prevails(self) -> None:
        assert choose_region(configured="a-1", reported="b-2") == "b-2"
        assert choose_region(configured=None, reported="b-2") == "b-2"
        assert choose_region(configured="a-1", reported=None) == "a-1"
        assert choose_region(configured=None, reported=None) is None


class TestAddress:
    @pytest.mark.parametrize(
        ("access", "default", "url"),
        [
            (BucketAccess("s3://bkt"), None, "https://bkt.s3.eu-west-1.amazonaws.com/"),
            (BucketAccess("s3://b.k.t"), None, "https://s3.eu-west-1.amazonaws.com/b.k.t"),
            (BucketAccess("s3://Old_Name"), None, "https://s3.eu-west-1.amazonaws.com/Old_Name"),
            (BucketAccess("s3://bkt", path_style=True), None, "https://s3.eu-west-1.amazonaws.com/bkt"),
            (BucketAccess("s3://bkt", endpoint="http://minio:9000/"), None, "http://minio:9000/bkt"),
            (BucketAccess("s3://bkt", endpoint="minio:9000"), "http://other", "https://minio:9000/bkt"),
            (BucketAccess("s3://bkt"), "https://of.the.environment", "https://of.the.environment/bkt"),
            (BucketAccess("s3://bkt", endpoint="https://ceph", path_style=False), None, "https://bkt.ceph/"),
            (BucketAccess("vast://vast.local/bkt"), "http://other", "https://vast.local/bkt"),
            (BucketAccess("vast://http://vast.local/bkt"), None, "http://vast.local/bkt"),
        ],
    )
    def test_bucket_is_located(self, access: BucketAccess, default: str | None, url: str) -> None:
        address = locate_bucket(parse_ref(access.ref), access, default_endpoint=default, region="eu-west-1")
        assert address.url == url

    def test_china_has_its_own_domain(self) -> None:
        address = BucketAddress("bkt", "cn-north-1", None, path_style=False)
        assert address.url == "https://bkt.s3.cn-north-1.amazonaws.com.cn/"

    def test_two_different_endpoints_are_refused(self) -> None:
        access = BucketAccess("vast://vast.local/bkt", endpoint="https://other")
        with pytest.raises(ConfigError, match="another endpoint"):
            locate_bucket(parse_ref(access.ref), access, default_endpoint=None, region=None)


class TestCredentials:
    async def test_no_credentials_are_told_in_one_helpful_line(self) -> None:
        with pytest.raises(StoreRefusedError, match=r"s3://bucket.*anonymous = true") as caught:
            await open_store(BucketAccess("s3://bucket", endpoint="http://127.0.0.1:1"), LIMITS, environ={})
        assert "\n" not in str(caught.value)

    async def test_unknown_profile_is_a_config_error(self) -> None:
        with pytest.raises(ConfigError, match="nobody"):
            await open_store(BucketAccess("s3://bucket", profile="nobody"), LIMITS, environ={})

    async def test_profile_brings_keys_endpoint_and_region(self, dotfile: Path) -> None:
        async def answer(_: web.Request) -> web.Response:
            return found()

        async with serve(answer) as server:
            with dotfile.open("a") as file:
                file.write("[lab]\naws_access_key_id = AKIDLAB\naws_secret_access_key = x\n")
            dotfile.with_name("aws-config").write_text(
                "[profile lab]\nregion = eu-north-1\nservices = on-site\n"
                f"[services on-site]\ns3 =\n  endpoint_url = {server.url}\n"
            )
            store = await open_store(BucketAccess("s3://bucket", profile="lab"), LIMITS, environ={})
            await store.get("info", max_size=9)
            await store.close()
        assert signed_by(server.asked[-1]) == "AKIDLAB"
        assert signed_region(server.asked[-1]) == "eu-north-1"

    @pytest.mark.usefixtures("dotfile")
    async def test_endpoint_of_the_environment_is_used(self) -> None:
        async def answer(_: web.Request) -> web.Response:
            return found()

        async with serve(answer) as server:
            environ = {"AWS_ENDPOINT_URL_S3": server.url}
            store = await open_store(BucketAccess("s3://bucket"), LIMITS, environ=environ)
            assert await store.get("info", max_size=9) is not None
            await store.close()

    async def test_anonymous_requests_are_not_signed(self) -> None:
        async def answer(_: web.Request) -> web.Response:
            return found()

        async with serve(answer) as server:
            store = await open_at(server, anonymous=True)
            assert await store.get("info", max_size=9) is not None
            await store.close()
        assert all("Authorization" not in request.headers for request in server.asked)

    @pytest.mark.parametrize(("status", "code"), [(403, "InvalidAccessKeyId"), (400, "ExpiredToken")])
    async def test_keys_rotated_in_the_dotfile_are_picked_up(
        self, dotfile: Path, status: int, code: str
    ) -> None:
        valid = "AKIDTEST"

        async def answer(request: web.Request) -> web.Response:
            if request.method == "HEAD":
                return web.Response()
            return found() if signed_by(request) == valid else error(status, code)

        async with serve(answer) as server:
            store = await open_at(server)
            assert await store.get("info", max_size=9) is not None
            valid = "AKIDNEW"
            write_keys(dotfile, valid, "another-secret")
            assert await store.get("info", max_size=9) is not None
            await store.close()
        assert [signed_by(request) for request in server.asked[1:]] == ["AKIDTEST", "AKIDTEST", "AKIDNEW"]

    @pytest.mark.usefixtures("dotfile")
    async def test_requester_pays_only_if_told_to(self) -> None:
        async def answer(_: web.Request) -> web.Response:
            return found()

        async with serve(answer) as server:
            for pays in (False, True):
                store = await open_at(server, requester_pays=pays)
                await store.get("info", max_size=9)
                await store.close()
        payers = [request.headers.get("x-amz-request-payer") for request in server.asked]
        assert payers == [None, None, None, "requester"]


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

    async def test_refusal_means_missing_if_listed(self) -> None:
        assert await self.read(refusing(403), missing_status=frozenset({403, 404})) == 2

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
        access = BucketAccess("s3://bucket/image", endpoint="http://127.0.0.1:1")
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
            access = BucketAccess("gs://bucket", endpoint=f"http://127.0.0.1:{port}", anonymous=True)
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
            access = BucketAccess("gs://bucket", endpoint=server.url, anonymous=True)
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

    async def test_closed_store_says_so(self) -> None:
        async def answer(_: web.Request) -> web.Response:
            return found()

        async with serve(answer) as server:
            store = await open_at(server, UpstreamLimits(attempts=1))
            await store.close()
            with pytest.raises(StoreError, match="closed"):
                await store.get("info", max_size=9)
