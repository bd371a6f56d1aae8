"""In which region a bucket is."""

import logging

import pytest
from aiohttp import web

from dvidpc.storage.base import BucketAccess
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from dvidpc.storage.s3.region import choose_region
from tests.servers import S3Server, serve
from tests.storage.contract import LIMITS
from tests.storage.s3.s3_answers import error, found, open_at, signed_region


@pytest.mark.usefixtures("dotfile")
async def test_wrong_region_is_found_out_and_remembered(caplog: pytest.LogCaptureFixture) -> None:
    async def answer(request: web.Request) -> web.Response:
        here = {"x-amz-bucket-region": "eu-west-1"}
        if request.method == "HEAD":
            return web.Response(status=301, headers=here)
        return found() if signed_region(request) == "eu-west-1" else error(301, "PermanentRedirect", **here)

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
async def test_region_of_moto_is_found_out(s3_server: S3Server, bucket_name: str) -> None:
    s3_server.make_bucket(bucket_name, "eu-central-1")
    s3_server.put(bucket_name, "info", b"{}")
    access = BucketAccess(parse_ref(f"s3://{bucket_name}"), endpoint=s3_server.url)
    store = await open_store(access, LIMITS, environ={})
    assert await store.get("info", max_size=9) is not None
    await store.close()


@pytest.mark.usefixtures("dotfile")
@pytest.mark.parametrize("reported", ["", "EU WEST", "a" * 33, "evil.example.org/"])
async def test_nonsense_is_not_believed(reported: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return (
            web.Response(headers={"x-amz-bucket-region": reported}) if request.method == "HEAD" else found()
        )

    async with serve(answer) as server:
        store = await open_at(server, region="us-west-2")
        await store.get("info", max_size=9)
        await store.close()
    assert signed_region(server.asked[-1]) == "us-west-2"


@pytest.mark.usefixtures("dotfile")
async def test_aws_region_of_the_environment_is_used() -> None:
    async def answer(_: web.Request) -> web.Response:
        return found()

    async with serve(answer) as server:
        access = BucketAccess(parse_ref("s3://bucket"), endpoint=server.url)
        store = await open_store(access, LIMITS, environ={"AWS_REGION": "sa-east-1"})
        await store.get("info", max_size=9)
        await store.close()
    assert signed_region(server.asked[-1]) == "sa-east-1"


def test_what_the_service_reports_prevails() -> None:
    assert choose_region(configured="a-1", reported="b-2") == "b-2"
    assert choose_region(configured=None, reported="b-2") == "b-2"
    assert choose_region(configured="a-1", reported=None) == "a-1"
    assert choose_region(configured=None, reported=None) is None
