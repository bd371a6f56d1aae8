"""Every kind of store lists what lies below a directory, all of it, and says so where it cannot."""

import contextlib
import os
from pathlib import Path

import pytest
from aiohttp import web

from dvidpc.errors import StoreError, StoreRefusedError
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.opening import open_lister
from dvidpc.storage.ref import parse_ref
from tests.servers import GoogleServer, S3Server, serve

pytestmark = pytest.mark.usefixtures("dotfile")

OBJECTS = {"em/info": 2, "em/s0/a": 1, "em/s0/b": 0, "em/s0/deep/c": 3, "em/s00/d": 4}


async def list_all(access: BucketAccess, directory: str) -> list[tuple[str, int]]:
    lister = await open_lister(access, UpstreamLimits(attempts=1), environ=os.environ)
    assert lister is not None
    try:
        return sorted([(name, size) async for page in lister.list_below(directory) for name, size in page])
    finally:
        await lister.close()


async def test_s3_lists_below_a_directory_and_nothing_beside(s3_server: S3Server, bucket_name: str) -> None:
    s3_server.make_bucket(bucket_name)
    for key, size in OBJECTS.items():
        s3_server.put(bucket_name, key, bytes(size))
    access = BucketAccess(parse_ref(f"s3://{bucket_name}/em"), endpoint=s3_server.url)
    assert await list_all(access, "s0") == [("a", 1), ("b", 0), ("deep/c", 3)]
    assert len(await list_all(access, "")) == len(OBJECTS)
    assert await list_all(access, "s1") == []


async def test_google_lists_below_a_directory_and_nothing_beside(
    google_server: GoogleServer, bucket_name: str
) -> None:
    google_server.make_bucket(bucket_name)
    for key, size in OBJECTS.items():
        google_server.put(bucket_name, key, bytes(size))
    access = BucketAccess(parse_ref(f"gs://{bucket_name}/em"), endpoint=google_server.url, anonymous=True)
    assert await list_all(access, "s0") == [("a", 1), ("b", 0), ("deep/c", 3)]


async def test_directory_of_many_files_is_listed_whole(tmp_path: Path) -> None:
    (tmp_path / "s0").mkdir()
    for number in range(2500):
        (tmp_path / "s0" / f"{number}.gz").write_bytes(b"12")
    listed = await list_all(BucketAccess(parse_ref(f"file://{tmp_path}")), "s0")
    assert listed == sorted((str(number), 2) for number in range(2500))


async def test_web_server_has_no_listing() -> None:
    assert (
        await open_lister(BucketAccess(parse_ref("http://localhost:1/em")), UpstreamLimits(), environ={})
        is None
    )


def page_of(*keys: str, token: str = "") -> web.Response:
    found = "".join(
        f"<Contents><Key>{key}</Key><Size>1</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
        for key in keys
    )
    more = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    cut = f"<IsTruncated>{'true' if token else 'false'}</IsTruncated>"
    text = f"<ListBucketResult>{cut}{found}{more}</ListBucketResult>"
    return web.Response(text=text, content_type="application/xml")


async def test_page_that_fails_is_asked_for_again_from_where_it_was() -> None:
    asked: list[tuple[str | None, str | None]] = []

    async def answer(request: web.Request) -> web.Response:
        if request.method == "HEAD":
            return web.Response(status=403)
        token, after = request.query.get("continuation-token"), request.query.get("start-after")
        asked.append((token, after))
        if token:
            return web.Response(status=500)
        if after:
            return page_of("em/s0/x", "em/s0/y")
        return page_of(*(f"em/s0/{number:03}" for number in range(1000)), token="next")

    async with serve(answer) as server:
        listed = await list_all(BucketAccess(parse_ref("s3://bucket/em"), endpoint=server.url), "s0")
    assert [name for name, _ in listed] == [*(f"{number:03}" for number in range(1000)), "x", "y"]
    assert asked == [(None, None), ("next", None), (None, "em/s0/999")]


async def test_listing_that_keeps_failing_is_no_end() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=500)

    async with serve(answer) as server:
        with pytest.raises(StoreError, match=r"s3://bucket/em/s0 cannot be listed: the service answers 500"):
            await list_all(BucketAccess(parse_ref("s3://bucket/em"), endpoint=server.url), "s0")
        assert sum(request.method == "GET" for request in server.asked) == 3


@pytest.mark.parametrize("status", [401, 403])
async def test_listing_that_is_refused_is_a_refusal(status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    async with serve(answer) as server:
        with pytest.raises(StoreRefusedError, match="may not list") as raised:
            await list_all(BucketAccess(parse_ref("s3://bucket/em"), endpoint=server.url), "s0")
    assert raised.value.status == status


async def test_redirect_takes_no_signature_elsewhere() -> None:
    """Obstore follows it; `Authorization` stays behind."""

    async def other_answer(_: web.Request) -> web.Response:
        return page_of("em/s0/x")

    async with serve(other_answer) as other:

        async def redirect(request: web.Request) -> web.Response:
            return web.Response(status=307, headers={"Location": f"{other.url}{request.path_qs}"})

        async with serve(redirect) as bucket:
            with contextlib.suppress(StoreError):
                await list_all(BucketAccess(parse_ref("s3://bucket/em"), endpoint=bucket.url), "s0")
            assert any("Authorization" in request.headers for request in bucket.asked)
        for request in other.asked:
            sent = f"{request.raw_path} {dict(request.headers)}"
            assert not any(word in sent for word in ("Authorization", "AKIDTEST", "made-up"))
