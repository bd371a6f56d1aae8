"""S3 buckets are listed by aiobotocore, and whatever goes wrong is one of our errors."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from dvidpc.errors import StoreError, StoreRefusedError
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.credentials import LOOK_AGAIN_S, Credentials, Secret
from dvidpc.storage.http.tls import SYSTEM
from dvidpc.storage.opening import open_lister
from dvidpc.storage.ref import parse_ref
from dvidpc.storage.s3.s3_access import S3Place
from dvidpc.storage.s3.s3_address import BucketAddress
from dvidpc.storage.s3.s3_listing import S3Pages
from tests.servers import Handler, S3Server, serve
from tests.storage.kinds import SECRET
from tests.storage.listings import OBJECTS, list_all
from tests.storage.s3.s3_answers import error, signed_by
from tests.storage.s3.test_s3_service import signature_of

pytestmark = pytest.mark.usefixtures("dotfile")


def page_of(*keys: str, token: str = "") -> web.Response:
    found = "".join(
        f"<Contents><Key>{key}</Key><Size>1</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
        for key in keys
    )
    more = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    cut = f"<IsTruncated>{'true' if token else 'false'}</IsTruncated>"
    text = f"<ListBucketResult>{cut}{found}{more}</ListBucketResult>"
    return web.Response(text=text, content_type="application/xml")


def listing(make: Callable[[web.Request], web.Response]) -> Handler:
    """Answer listings by *make*, and the question for the region by nothing."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response() if request.method == "HEAD" else make(request)

    return answer


def bucket_at(url: str, *, anonymous: bool = False, requester_pays: bool = False) -> BucketAccess:
    return BucketAccess(
        parse_ref("s3://bucket/em"), endpoint=url, anonymous=anonymous, requester_pays=requester_pays
    )


async def test_objects_below_a_directory_are_listed_and_none_beside(
    s3_server: S3Server, bucket_name: str
) -> None:
    s3_server.make_bucket(bucket_name)
    for key, size in OBJECTS.items():
        s3_server.put(bucket_name, key, bytes(size))
    access = BucketAccess(parse_ref(f"s3://{bucket_name}/em"), endpoint=s3_server.url)
    assert await list_all(access, "s0") == [("a", 1), ("b", 0), ("deep/c", 3)]
    assert len(await list_all(access, "")) == len(OBJECTS)
    assert await list_all(access, "s1") == []


async def test_odd_keys_are_listed_as_they_are(s3_server: S3Server, bucket_name: str) -> None:
    keys = ["a b", "+", "%20", "ü", "a&b<c>", "mesh/1:0"]
    s3_server.make_bucket(bucket_name)
    for key in keys:
        s3_server.put(bucket_name, f"em/{key}", b"1")
    access = BucketAccess(parse_ref(f"s3://{bucket_name}"), endpoint=s3_server.url)
    assert [name for name, _ in await list_all(access, "em")] == sorted(keys)


async def test_bucket_of_more_than_one_page_is_listed_whole(s3_server: S3Server, bucket_name: str) -> None:
    s3_server.make_bucket(bucket_name)

    def fill() -> None:
        for number in range(1001):
            s3_server.put(bucket_name, f"s0/{number:04}", b"1")

    await asyncio.to_thread(fill)
    access = BucketAccess(parse_ref(f"s3://{bucket_name}"), endpoint=s3_server.url)
    assert await list_all(access, "s0") == [(f"{number:04}", 1) for number in range(1001)]


async def test_page_that_fails_is_listed_again_from_where_it_was() -> None:
    asked: list[tuple[str | None, str | None]] = []

    def answer(request: web.Request) -> web.Response:
        token, after = request.query.get("continuation-token"), request.query.get("start-after")
        asked.append((token, after))
        if token:
            return web.Response(status=500)
        if after:
            return page_of("em/s0/x", "em/s0/y")
        return page_of(*(f"em/s0/{number:03}" for number in range(1000)), token="next")

    async with serve(listing(answer)) as server:
        listed = await list_all(bucket_at(server.url), "s0")
    assert [name for name, _ in listed] == [*(f"{number:03}" for number in range(1000)), "x", "y"]
    assert asked == [(None, None), ("next", None), (None, "em/s0/999")]


async def test_listing_that_keeps_failing_does_not_look_complete() -> None:
    async with serve(listing(lambda _: web.Response(status=500))) as server:
        with pytest.raises(StoreError, match=r"s3://bucket/em/s0 cannot be listed: the service answers 500"):
            await list_all(bucket_at(server.url), "s0")
        assert sum(request.method == "GET" for request in server.asked) == 3


@pytest.mark.parametrize("status", [401, 403])
async def test_listing_that_is_refused_is_a_refusal(status: int) -> None:
    async with serve(listing(lambda _: web.Response(status=status))) as server:
        with pytest.raises(StoreRefusedError, match="may not list") as raised:
            await list_all(bucket_at(server.url), "s0")
        assert sum(request.method == "GET" for request in server.asked) == 1
    assert raised.value.status == status


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (404, "NoSuchBucket", "there is no such bucket"),
        (400, "ExpiredToken", "the credentials have expired"),
        (403, "SignatureDoesNotMatch", "does not accept the signature"),
    ],
)
async def test_refusal_is_explained_by_its_code(status: int, code: str, words: str) -> None:
    async with serve(listing(lambda _: error(status, code))) as server:
        with pytest.raises(StoreRefusedError, match=rf"cannot be listed: .*{words}") as raised:
            await list_all(bucket_at(server.url), "s0")
    assert (raised.value.status, raised.value.code) == (status, code)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"not XML",
        b"<html><body>welcome</body></html>",
        b"<ListBucketResult><Contents><Key>em/s0/a</Key></Contents></ListBucketResult>",
        b"<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
        b"<ListBucketResult><Contents><Key>a</Key><Size>many</Size></Contents></ListBucketResult>",
        b"<ListBucketResult><Contents/></ListBucketResult>",
        b"<ListBucketResult/>",
        b"<Error><Code>InternalError</Code></Error>",
    ],
)
async def test_answer_that_is_not_a_listing_is_a_failure(body: bytes) -> None:
    async with serve(listing(lambda _: web.Response(body=body))) as server:
        with pytest.raises(StoreError, match="s3://bucket/em/s0 cannot be listed: "):
            await list_all(bucket_at(server.url), "s0")


async def test_listing_that_goes_in_circles_is_a_failure() -> None:
    async with serve(listing(lambda _: page_of(token="same"))) as server:
        with pytest.raises(StoreError, match="s3://bucket/em/s0 cannot be listed: "):
            await list_all(bucket_at(server.url), "s0")


async def test_endless_answer_is_not_read_to_its_end() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "HEAD":
            return web.Response()
        response = web.StreamResponse()
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
        with pytest.raises(StoreError, match="answers with more than"):
            await list_all(bucket_at(server.url), "s0")
    assert len(written) < 3 * 48


async def test_server_that_is_away_is_an_error() -> None:
    with pytest.raises(StoreError, match="s0 cannot be listed: the server cannot be reached"):
        await list_all(bucket_at("http://127.0.0.1:1"), "s0")


async def test_requests_are_signed_and_pay_only_if_configured() -> None:
    def answer(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == signature_of(request)
        return page_of("em/s0/a")

    async with serve(listing(answer)) as server:
        for pays in (False, True):
            assert await list_all(bucket_at(server.url, requester_pays=pays), "s0") == [("a", 1)]
    asked = [request for request in server.asked if request.method == "GET"]
    assert [request.headers.get("x-amz-request-payer") for request in asked] == [None, "requester"]


async def test_anonymous_requests_are_not_signed(dotfile: Path) -> None:
    dotfile.unlink()
    async with serve(listing(lambda _: page_of("em/s0/a"))) as server:
        assert await list_all(bucket_at(server.url, anonymous=True), "s0") == [("a", 1)]
        assert all("Authorization" not in request.headers for request in server.asked)


async def test_requests_go_through_the_proxy() -> None:
    async with serve(listing(lambda _: page_of("em/s0/a"))) as proxy:
        access = bucket_at("http://bucket.invalid", anonymous=True)
        assert await list_all(access, "s0", {"http_proxy": proxy.url}) == [("a", 1)]
    assert proxy.asked[-1].raw_path.startswith("http://bucket.invalid/bucket?")


class Keys:
    """A `LookUp` that finds another key each time."""

    def __init__(self) -> None:
        self.found = 0

    async def __call__(self, *, force: bool) -> Secret:
        del force
        self.found += 1
        return Secret({"access_key_id": f"AKID{self.found}", "secret_access_key": "made-up"}, None)

    async def close(self) -> None:
        return


async def test_credentials_that_change_during_the_listing_are_used() -> None:
    now = 0.0

    def answer(request: web.Request) -> web.Response:
        nonlocal now
        if "start-after" in request.query:
            return page_of("em/s0/b")
        now += LOOK_AGAIN_S
        return page_of("em/s0/a", token="next")

    credentials = Credentials(Keys(), clock=lambda: now)
    async with serve(listing(answer)) as server, aiohttp.ClientSession() as session:
        address = BucketAddress("bucket", "us-east-1", server.url, path_style=True)
        place = S3Place(address, credentials, SYSTEM, None, None)
        pages = S3Pages(place, session, requester_pays=False)
        keys = [entry.key async for page in pages.pages("name", "em/", None) for entry in page]
        await pages.close()
    assert keys == ["em/s0/a", "em/s0/b"]
    assert [signed_by(request) for request in server.asked] == ["AKID1", "AKID2"]


async def test_lister_of_an_unreachable_bucket_can_be_closed() -> None:
    lister = await open_lister(bucket_at("http://127.0.0.1:1"), UpstreamLimits(), environ={})
    assert lister is not None
    await lister.close()
