"""Where an S3 bucket is and who signs there, found out before the first read."""

from pathlib import Path

import pytest
from aiohttp import web

from dvidpc.storage.base import BucketAccess
from dvidpc.storage.ref import parse_ref
from dvidpc.storage.s3.s3_access import S3Place, reach_s3
from tests.servers import serve
from tests.storage.contract import LIMITS

URL = "s3://bucket/em"


async def reach(reported: str, *, region: str | None = None, anonymous: bool = False) -> S3Place:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(headers={"x-amz-bucket-region": reported} if reported else {})

    async with serve(answer) as server:
        access = BucketAccess(parse_ref(URL), endpoint=server.url, region=region, anonymous=anonymous)
        return await reach_s3(parse_ref(URL), access, LIMITS, {})


@pytest.mark.parametrize(
    ("configured", "reported", "used"),
    [("", "", "us-east-1"), ("a-1", "", "a-1"), ("", "b-2", "b-2"), ("a-1", "b-2", "b-2")],
)
async def test_region_is_the_reported_else_the_configured_one(
    configured: str, reported: str, used: str
) -> None:
    place = await reach(reported, region=configured or None, anonymous=True)
    assert (place.configured_region, place.reported_region) == (configured or None, reported or None)
    assert place.address.region == used


async def test_addressing_style_of_the_dotfile_is_followed(tmp_path: Path) -> None:
    (tmp_path / "aws-config").write_text("[default]\ns3 =\n    addressing_style = virtual\n")
    access = BucketAccess(parse_ref(URL), endpoint="http://127.0.0.1:1", anonymous=True)
    place = await reach_s3(access.ref, access, LIMITS, {})
    assert place.address.url == "http://bucket.127.0.0.1:1/"


@pytest.mark.usefixtures("dotfile")
async def test_credentials_are_looked_up_unless_the_bucket_is_anonymous() -> None:
    assert (await reach("", anonymous=True)).credentials is None
    credentials = (await reach("")).credentials
    assert credentials is not None
    assert credentials.values()["access_key_id"] == "AKIDTEST"
    await credentials.close()
