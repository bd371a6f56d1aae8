"""S3 requests are signed; a refusal is learned from and reported."""

import asyncio
import gzip
import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from aiohttp import web
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from dvidpc.errors import StoreRefusedError
from dvidpc.storage.versions import Version
from dvidpc.types import ByteRange
from tests.servers import serve
from tests.storage.conftest import write_keys
from tests.storage.kinds import SECRET, SESSION_TOKEN
from tests.storage.s3.s3_answers import AbsentReads, error, found, open_at, refusing, signed_region


def write_temporary_key(file: Path) -> None:
    write_keys(file, "AKIDTEST", SECRET)
    with file.open("a") as lines:
        lines.write(f"aws_session_token = {SESSION_TOKEN}\n")


def signature_of(request: web.Request) -> str:
    """Return the `Authorization` that botocore would send."""
    names = request.headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    url = f"http://{request.headers['Host']}{request.raw_path}"
    like = AWSRequest("GET", url, headers={name: request.headers[name] for name in names if name != "host"})
    like.context["timestamp"] = request.headers["x-amz-date"]
    auth = S3SigV4Auth(Credentials("AKIDTEST", SECRET, SESSION_TOKEN), "s3", signed_region(request))
    signature = auth.signature(auth.string_to_sign(like, auth.canonical_request(like)), like)
    who = f"AWS4-HMAC-SHA256 Credential={auth.scope(like)}"
    return f"{who}, SignedHeaders={';'.join(names)}, Signature={signature}"


class TestLearning:
    @pytest.mark.usefixtures("dotfile")
    @pytest.mark.parametrize("status", [301, 307, 400, 403])
    async def test_region_that_was_not_told_at_first_is_learned_once(
        self, status: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)

        async def answer(request: web.Request) -> web.Response:
            if request.method == "HEAD":
                return web.Response(status=503)
            if signed_region(request) == "eu-west-1":
                return found()
            return error(status, "AuthorizationHeaderMalformed", **{"x-amz-bucket-region": "eu-west-1"})

        async with serve(answer) as server:
            store = await open_at(server)
            for _ in range(3):
                blobs = await asyncio.gather(*(store.get("info", max_size=9) for _ in range(3)))
                assert None not in blobs
            await store.close()
        regions = [signed_region(request) for request in server.asked if request.method == "GET"]
        assert regions.count("eu-west-1") == 9
        assert len(regions) <= 9 + 3  # those under way when the first was refused
        assert caplog.messages.count("s3://bucket/image is in region eu-west-1") == 1

    @pytest.mark.usefixtures("dotfile")
    @pytest.mark.parametrize(
        "words",
        [
            "<Message>The header is malformed; the region is wrong; expecting 'RegionOne'.</Message>",
            "<Message>The region &#39;us-east-1&#39; is wrong; expecting &#39;RegionOne&#39;</Message>",
            "<Message>wrong</Message><Region>RegionOne</Region>",
        ],
        ids=["minio-java issue 289", "minio-js issue 1038", "minio-go issue 677"],
    )
    async def test_region_that_only_the_words_of_a_refusal_name_is_learned(self, words: str) -> None:
        async def answer(request: web.Request) -> web.Response:
            if request.method == "HEAD":
                return web.Response(status=403)
            if signed_region(request) == "RegionOne":
                return found()
            code = "<Code>AuthorizationHeaderMalformed</Code>"
            return web.Response(status=400, text=f"<Error>{code}{words}</Error>")

        async with serve(answer) as server:
            store = await open_at(server)
            for _ in range(3):
                assert await store.get("info", max_size=9) is not None
            await store.close()
        regions = [signed_region(request) for request in server.asked if request.method == "GET"]
        assert regions == ["us-east-1", *["RegionOne"] * 3]

    @pytest.mark.usefixtures("dotfile")
    @pytest.mark.parametrize("ahead_s", [3600, -3600])
    async def test_wrong_clock_costs_one_refusal(
        self, ahead_s: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        """S3 refuses signatures whose time differs from its own by more than 15 minutes."""

        async def answer(request: web.Request) -> web.Response:
            if request.method == "HEAD":
                return web.Response()
            now = datetime.now(UTC) + timedelta(seconds=ahead_s)
            at = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            if abs(now - at) < timedelta(minutes=15):
                return found()
            return error(403, "RequestTimeTooSkewed", Date=format_datetime(now, usegmt=True))

        async with serve(answer) as server:
            store = await open_at(server)
            for _ in range(3):
                assert await store.get("info", max_size=9) is not None
            await store.close()
        assert sum(request.method == "GET" for request in server.asked) == 4
        [warning] = caplog.messages
        assert "it differs from the service's by 3" in warning

    @pytest.mark.usefixtures("dotfile")
    @pytest.mark.parametrize("date", ["", "yesterday", "Thu, 01 Jan 99999 00:00:00 GMT"])
    async def test_clock_of_a_service_that_does_not_tell_it_is_not_learned(self, date: str) -> None:
        async def answer(request: web.Request) -> web.Response:
            if request.method == "HEAD":
                return web.Response()
            return error(403, "RequestTimeTooSkewed", Date=date)

        async with serve(answer) as server:
            store = await open_at(server)
            with pytest.raises(StoreRefusedError, match="clock of this machine differs"):
                await store.get("info", max_size=9)
            await store.close()
        assert len(server.asked) == 2

    async def test_every_request_is_signed_as_botocore_would(self, dotfile: Path) -> None:
        write_temporary_key(dotfile)

        async def answer(request: web.Request) -> web.Response:
            if request.method == "GET":
                assert request.headers["Authorization"] == signature_of(request)
            return found()

        async with serve(answer) as server:
            store = await open_at(server, requester_pays=True)
            for key in ("info", "a b", "ü", "%20", "a+b=c&d:e", "~_-.0"):
                assert await store.get(key, max_size=9) is not None
                assert await store.get_range(key, ByteRange(0, 2), version=Version('"1"')) is not None
            await store.close()
        assert server.asked[-1].headers["x-amz-security-token"] == SESSION_TOKEN


@pytest.mark.usefixtures("dotfile")
class TestReasons(AbsentReads):
    @pytest.mark.parametrize(
        ("status", "code", "words"),
        [
            (404, "NoSuchBucket", "no such bucket"),
            (400, "ExpiredToken", "expired"),
            (403, "ExpiredToken", "expired"),
            (403, "InvalidAccessKeyId", "access key"),
            (403, "SignatureDoesNotMatch", "signature"),
            (403, "InvalidObjectState", "archive"),
            (403, "Unheard", "may not read"),
        ],
    )
    async def test_refusal_for_another_reason_is_no_absence(self, status: int, code: str, words: str) -> None:
        with pytest.raises(StoreRefusedError, match=rf"s3://bucket/image/info.*{words}.*{status}"):
            await self.read(refusing(status, code), missing_status=frozenset({400, 403, 404}))

    async def test_reason_is_read_through_an_encoding(self) -> None:
        body = gzip.compress(b"<?xml version='1.0'?><Error><Code>NoSuchBucket</Code></Error>")
        headers = {"Content-Encoding": "gzip"}
        with pytest.raises(StoreRefusedError, match="no such bucket"):
            await self.read(lambda _: web.Response(status=404, body=body, headers=headers))

    @pytest.mark.parametrize(
        "body", [b"", b"<Code>", b"<Code>No Such</Code>", b"\xff" * 99, bytes(1 << 20) + b"<Code>A</Code>"]
    )
    async def test_refusal_that_gives_no_reason_is_what_its_status_says(self, body: bytes) -> None:
        assert await self.read(lambda _: web.Response(status=404, body=body)) == 2
