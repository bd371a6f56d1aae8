"""What the credentials may do in an S3 bucket, by asking real servers."""

import os
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from dvidpc.errors import StoreRefusedError
from dvidpc.storage.base import BucketAccess
from dvidpc.storage.inspection import inspect_bucket
from dvidpc.storage.ref import parse_ref
from tests.servers import S3Server, serve
from tests.storage.conftest import write_keys

pytestmark = pytest.mark.usefixtures("dotfile")


async def test_bucket_that_may_be_written_is_found_out(s3_server: S3Server, bucket_name: str) -> None:
    s3_server.make_bucket(bucket_name, "eu-west-1")
    s3_server.put(bucket_name, "some/where/info", b"{}")
    access = BucketAccess(parse_ref(f"s3://{bucket_name}/some/where/"), endpoint=s3_server.url)
    found = await inspect_bucket(access, os.environ)
    assert (found.who, found.region) == ("access key AKIDTEST", "eu-west-1")
    assert (found.may_list, found.may_write) == (True, True)
    assert "made-up-secret" not in repr(found)


async def test_probe_for_writing_leaves_nothing_behind(s3_server: S3Server, bucket_name: str) -> None:
    s3_server.make_bucket(bucket_name)
    await inspect_bucket(BucketAccess(parse_ref(f"s3://{bucket_name}/"), endpoint=s3_server.url), os.environ)
    async with aiohttp.ClientSession() as session:
        for query in ("list-type=2", "uploads"):
            async with session.get(f"{s3_server.url}/{bucket_name}?{query}") as response:
                assert b"dvidpc-check" not in await response.read()


async def test_bucket_that_forbids_all_but_reading() -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=403, headers={"x-amz-bucket-region": "us-west-2"})

    async with serve(refuse) as server:
        access = BucketAccess(parse_ref("s3://bucket/volume/"), endpoint=server.url)
        found = await inspect_bucket(access, os.environ)
    assert (found.region, found.may_list, found.may_write) == ("us-west-2", False, False)


async def test_anonymous_reader_never_tries_to_write() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"<ListBucketResult/>", content_type="application/xml")

    async with serve(answer) as server:
        access = BucketAccess(parse_ref("s3://bucket/volume/"), endpoint=server.url, anonymous=True)
        found = await inspect_bucket(access, os.environ)
        assert {request.method for request in server.asked} <= {"GET", "HEAD"}
        assert all("Authorization" not in request.headers for request in server.asked)
    assert (found.who, found.may_list, found.may_write) == ("anybody", True, False)


async def test_missing_credentials_are_reported(dotfile: Path) -> None:
    dotfile.unlink()
    with pytest.raises(StoreRefusedError, match="no AWS credentials"):
        await inspect_bucket(
            BucketAccess(parse_ref("s3://bucket/"), endpoint="http://localhost:1"), os.environ
        )
    write_keys(dotfile, "AKIDTEST", "secret")
    found = await inspect_bucket(
        BucketAccess(parse_ref("s3://bucket/"), endpoint="http://localhost:1"), os.environ
    )
    assert (found.may_list, found.may_write) == (None, None)  # nobody answers there
