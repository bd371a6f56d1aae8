"""Which AWS credentials sign, and which settings of the environment and the dotfiles count."""

from pathlib import Path

import pytest
from aiohttp import web

from dvidpc.errors import ConfigError, StoreRefusedError
from dvidpc.storage.base import BucketAccess
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from tests.servers import serve
from tests.storage.conftest import write_keys
from tests.storage.contract import LIMITS
from tests.storage.s3.s3_answers import error, found, open_at, signed_by, signed_region


async def test_missing_credentials_are_reported_in_one_line() -> None:
    with pytest.raises(StoreRefusedError, match=r"s3://bucket.*anonymous = true") as caught:
        await open_store(
            BucketAccess(parse_ref("s3://bucket"), endpoint="http://127.0.0.1:1"), LIMITS, environ={}
        )
    assert "\n" not in str(caught.value)


async def test_unknown_profile_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="nobody"):
        await open_store(BucketAccess(parse_ref("s3://bucket"), profile="nobody"), LIMITS, environ={})


async def test_profile_brings_keys_endpoint_and_region(dotfile: Path) -> None:
    async def answer(_: web.Request) -> web.Response:
        return found()

    async with serve(answer) as server:
        with dotfile.open("a") as file:
            file.write("[lab]\naws_access_key_id = AKIDLAB\naws_secret_access_key = x\n")
        dotfile.with_name("aws-config").write_text(
            "[profile lab]\nregion = eu-north-1\nservices = on-site\n"
            f"[services on-site]\ns3 =\n  endpoint_url = {server.url}\n"
        )
        store = await open_store(BucketAccess(parse_ref("s3://bucket"), profile="lab"), LIMITS, environ={})
        await store.get("info", max_size=9)
        await store.close()
    assert signed_by(server.asked[-1]) == "AKIDLAB"
    assert signed_region(server.asked[-1]) == "eu-north-1"


@pytest.mark.usefixtures("dotfile")
async def test_endpoint_of_the_environment_is_used() -> None:
    async def answer(_: web.Request) -> web.Response:
        return found()

    async with serve(answer) as server:
        environ = {"AWS_ENDPOINT_URL_S3": server.url}
        store = await open_store(BucketAccess(parse_ref("s3://bucket")), LIMITS, environ=environ)
        assert await store.get("info", max_size=9) is not None
        await store.close()


async def test_anonymous_requests_are_not_signed() -> None:
    async def answer(_: web.Request) -> web.Response:
        return found()

    async with serve(answer) as server:
        store = await open_at(server, anonymous=True)
        assert await store.get("info", max_size=9) is not None
        await store.close()
    assert all("Authorization" not in request.headers for request in server.asked)


@pytest.mark.parametrize(("status", "code"), [(403, "InvalidAccessKeyId"), (400, "ExpiredToken")])
async def test_keys_rotated_in_the_dotfile_are_picked_up(dotfile: Path, status: int, code: str) -> None:
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
async def test_requester_pays_only_if_configured() -> None:
    async def answer(_: web.Request) -> web.Response:
        return found()

    async with serve(answer) as server:
        for pays in (False, True):
            store = await open_at(server, requester_pays=pays)
            await store.get("info", max_size=9)
            await store.close()
    payers = [request.headers.get("x-amz-request-payer") for request in server.asked]
    assert payers == [None, None, None, "requester"]
