"""What the credentials may do in a Google bucket, by asking real servers."""

from pathlib import Path

import pytest
from aiohttp import web

from dvidpc.storage.base import BucketAccess
from dvidpc.storage.inspection import inspect_bucket
from dvidpc.storage.ref import parse_ref
from tests.servers import WebServer, serve
from tests.storage.gcs.google_keys import write_key
from tests.storage.kinds import ACCESS_TOKEN


@pytest.mark.parametrize(
    ("granted", "may_list", "may_write"),
    [
        (["storage.objects.list"], True, False),
        (["storage.objects.list", "storage.objects.create"], True, True),
        ([], False, False),
    ],
)
async def test_permissions_are_asked_for(
    granted: list[str],
    *,
    may_list: bool,
    may_write: bool,
) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.path == "/storage/v1/b/bucket/iam/testPermissions"
        assert "Authorization" not in request.headers
        return web.json_response({"permissions": granted} if granted else {})

    async with serve(answer) as server:
        access = BucketAccess(parse_ref("gs://bucket/volume"), endpoint=server.url, anonymous=True)
        found = await inspect_bucket(access, {})
    assert (found.who, found.may_list, found.may_write) == ("anybody", may_list, may_write)


async def test_token_and_project_are_sent(tmp_path: Path, token_server: WebServer) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {ACCESS_TOKEN}"
        assert request.headers["x-goog-user-project"] == "mine"
        return web.json_response({"permissions": ["storage.objects.list"]})

    async with serve(answer) as server:
        access = BucketAccess(parse_ref("gs://bucket/volume"), endpoint=server.url, user_project="mine")
        found = await inspect_bucket(access, write_key(tmp_path, token_server.url))
    assert (found.who, found.may_list) == ("the Google credentials", True)


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"null", b'{"permissions": 3}', b"{"])
@pytest.mark.parametrize("status", [200, 403])
async def test_other_answers_say_nothing(status: int, body: bytes) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, content_type="application/json")

    async with serve(answer) as server:
        access = BucketAccess(parse_ref("gs://bucket/volume"), endpoint=server.url, anonymous=True)
        found = await inspect_bucket(access, {})
    assert (found.may_list, found.may_write) == (None, None)
    reason = "the service does not say" if status == 200 else f"the service answers {status}"
    assert found.no_list == found.no_write == reason


async def test_server_that_is_away_says_nothing() -> None:
    found = await inspect_bucket(
        BucketAccess(parse_ref("gs://bucket"), endpoint="http://127.0.0.1:1", anonymous=True), {}
    )
    assert (found.may_list, found.may_write, found.no_list) == (None, None, "no answer")
