"""What the credentials may do in an S3 bucket, by asking real servers, without ever writing there."""

import os
import ssl
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from dvidpc.errors import StoreRefusedError
from dvidpc.storage.base import BucketAccess
from dvidpc.storage.bucket_rights import BucketRights
from dvidpc.storage.inspection import inspect_bucket
from dvidpc.storage.ref import parse_ref
from tests.faulty.test_faults_names import make_certificate
from tests.s3_replay import ReplayedS3, is_listing, s3_error
from tests.servers import S3Server, serve

pytestmark = pytest.mark.usefixtures("dotfile")


@pytest.fixture
def buckets(tmp_path: Path) -> Path:
    """The directory of the buckets of a replayed service."""
    (tmp_path / "buckets").mkdir()
    return tmp_path / "buckets"


async def inspect(url: str, ref: str = "s3://bucket/volume/", *, anonymous: bool = False) -> BucketRights:
    return await inspect_bucket(BucketAccess(parse_ref(ref), endpoint=url, anonymous=anonymous), os.environ)


def make_volume(directory: Path) -> None:
    (directory / "bucket" / "volume").mkdir(parents=True)
    (directory / "bucket" / "volume" / "info").write_text("{}")


async def test_bucket_that_may_be_written_is_found_out(buckets: Path) -> None:
    make_volume(buckets)
    s3 = ReplayedS3(buckets)
    async with serve(s3) as server:
        found = await inspect(server.url)
    assert (found.who, found.may_list, found.may_write) == ("access key AKIDTEST", True, True)
    assert s3.written == ["POST /bucket/volume/.dvidpc-check"]
    assert [file.name for file in buckets.rglob("*") if file.is_file()] == ["info"]
    assert "made-up-secret" not in repr(found)


async def test_bucket_that_may_not_be_written_is_found_out(buckets: Path) -> None:
    make_volume(buckets)
    async with serve(ReplayedS3(buckets, writable=False)) as server:
        found = await inspect(server.url)
    assert (found.may_list, found.may_write) == (True, False)


async def test_a_region_is_reported_and_moto_keeps_nothing(s3_server: S3Server, bucket_name: str) -> None:
    s3_server.make_bucket(bucket_name, "eu-west-1")
    s3_server.put(bucket_name, "some/where/info", b"{}")
    found = await inspect(s3_server.url, f"s3://{bucket_name}/some/where/")
    assert (found.who, found.region, found.may_list) == ("access key AKIDTEST", "eu-west-1", True)
    async with aiohttp.ClientSession() as session:
        for query in ("list-type=2", "uploads"):
            async with session.get(f"{s3_server.url}/{bucket_name}?{query}") as response:
                assert b"dvidpc-check" not in await response.read()


async def test_a_missing_bucket_is_not_created_by_a_service_that_creates_buckets(buckets: Path) -> None:
    async with serve(ReplayedS3(buckets, creates_buckets=True)) as server:
        found = await inspect(server.url, "s3://no-such-bucket/em")
    assert (found.may_list, found.no_list) == (None, "the service answers 404 NoSuchBucket")
    assert found.may_write is None
    assert list(buckets.iterdir()) == []
    assert {request.method for request in server.asked} <= {"GET", "HEAD"}


async def test_a_bucket_that_may_not_be_listed_is_known_by_its_info(buckets: Path) -> None:
    def refuse(request: web.Request) -> web.Response | None:
        return s3_error(403, "AccessDenied") if is_listing(request) else None

    make_volume(buckets)
    s3 = ReplayedS3(buckets, creates_buckets=True, writable=False, refuse=refuse)
    async with serve(s3) as server:
        found = await inspect(server.url)
        assert (found.may_list, found.may_write) == (False, False)
        elsewhere = await inspect(server.url, "s3://no-such-bucket/em")
    assert (elsewhere.may_list, elsewhere.may_write) == (False, None)
    assert [path.name for path in buckets.iterdir()] == ["bucket"]
    assert s3.written == ["POST /bucket/volume/.dvidpc-check"]


@pytest.mark.parametrize("status", [403, 401])
async def test_bucket_that_forbids_everything(status: int) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"x-amz-bucket-region": "us-west-2"})

    async with serve(refuse) as server:
        found = await inspect(server.url)
        assert {request.method for request in server.asked} <= {"GET", "HEAD"}
    may_list = False if status == 403 else None  # 401 is about the credentials, not about a right
    assert (found.region, found.may_list, found.may_write) == ("us-west-2", may_list, None)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "InvalidAccessKeyId"),
        (403, "SignatureDoesNotMatch"),
        (403, "RequestTimeTooSkewed"),
        (403, "InvalidTokenId"),
        (400, "InvalidToken"),
        (400, "ExpiredToken"),
        (401, "Unauthorized"),
        (404, "NoSuchBucket"),
        (503, "SlowDown"),
    ],
)
async def test_other_refusals_are_reported_as_what_they_are(status: int, code: str, buckets: Path) -> None:
    make_volume(buckets)
    s3 = ReplayedS3(buckets, refuse=lambda _: s3_error(status, code))
    async with serve(s3) as server:
        found = await inspect(server.url)
    assert (found.may_list, found.may_write) == (None, None)
    assert f"may list: not known (the service answers {status} {code})" in found.line()
    assert found.warnings(can_read=False, missing_status={404}) == []
    assert s3.written == []


@pytest.mark.parametrize("code", ["InvalidAccessKeyId", "RequestTimeTooSkewed", "InternalError"])
async def test_a_write_that_is_refused_for_another_reason_says_nothing(code: str, buckets: Path) -> None:
    def refuse(request: web.Request) -> web.Response | None:
        return s3_error(403, code) if request.method == "POST" else None

    make_volume(buckets)
    async with serve(ReplayedS3(buckets, refuse=refuse)) as server:
        found = await inspect(server.url)
    assert (found.may_list, found.may_write) == (True, None)
    assert found.line().endswith(f"may write: not known (the service answers 403 {code})")


async def test_anonymous_reader_never_tries_to_write_and_claims_nothing(buckets: Path) -> None:
    make_volume(buckets)
    async with serve(ReplayedS3(buckets)) as server:
        found = await inspect(server.url, anonymous=True)
        assert {request.method for request in server.asked} <= {"GET", "HEAD"}
        assert all("Authorization" not in request.headers for request in server.asked)
    assert (found.who, found.may_list, found.may_write) == ("anybody", True, None)


@pytest.mark.parametrize("body", [b"", b"<html>Sign in to the hotel</html>", b"<ListBucketResult/>", b"{}"])
async def test_an_answer_that_is_not_a_listing_says_nothing(body: bytes) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="text/html")

    async with serve(answer) as server:
        found = await inspect(server.url, anonymous=True)
    assert found.may_list is None


async def test_only_the_directory_of_the_volume_is_listed(buckets: Path) -> None:
    """A policy may allow to list `volume/*`, but neither the bucket nor its other directories."""

    def refuse(request: web.Request) -> web.Response | None:
        allowed = request.query.get("prefix") == "volume/"
        return s3_error(403, "AccessDenied") if is_listing(request) and not allowed else None

    make_volume(buckets)
    async with serve(ReplayedS3(buckets, refuse=refuse)) as server:
        assert (await inspect(server.url)).may_list is True


async def test_the_reader_who_pays_says_so_when_asked(buckets: Path) -> None:
    def refuse(request: web.Request) -> web.Response | None:
        pays = request.method == "HEAD" or request.headers.get("x-amz-request-payer") == "requester"
        return None if pays else s3_error(403, "AccessDenied")

    make_volume(buckets)
    async with serve(ReplayedS3(buckets, refuse=refuse)) as server:
        access = BucketAccess(parse_ref("s3://bucket/volume"), endpoint=server.url, requester_pays=True)
        found = await inspect_bucket(access, os.environ)
    assert (found.may_list, found.may_write) == (True, True)


async def test_a_bucket_is_not_listed_at_another_host_than_it_is_read_from(tmp_path: Path) -> None:
    """No certificate covers `a.b.host`, and botocore would put the bucket into the path."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text="<ListBucketResult><Name>a.b</Name></ListBucketResult>")

    certificate, key = make_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "localhost", 0, ssl_context=context).start()
        url = f"https://localhost:{runner.addresses[0][1]}"
        access = BucketAccess(
            parse_ref("s3://a.b/volume"), endpoint=url, path_style=False, ca_bundle=certificate
        )
        found = await inspect_bucket(access, os.environ)
    finally:
        await runner.cleanup()
    assert (found.may_list, found.may_write, asked) == (None, None, [])


async def test_missing_credentials_are_reported(dotfile: Path) -> None:
    dotfile.unlink()
    with pytest.raises(StoreRefusedError, match="no AWS credentials"):
        await inspect("http://localhost:1", "s3://bucket/")
    dotfile.write_text("[default]\naws_access_key_id = AKIDTEST\naws_secret_access_key = secret\n")
    found = await inspect("http://localhost:1", "s3://bucket/")
    assert (found.may_list, found.may_write) == (None, None)  # nobody answers there
