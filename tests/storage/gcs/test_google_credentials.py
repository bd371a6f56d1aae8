"""Where Google credentials are found, and how a failed search is reported."""

from pathlib import Path

import pytest
from aiohttp import web

from dvidpc.errors import StoreError, StoreRefusedError
from dvidpc.storage.base import BucketAccess
from dvidpc.storage.gcs.google_credentials import credentials_file
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from tests.servers import serve
from tests.storage.contract import LIMITS
from tests.storage.gcs.google_keys import write_key


@pytest.mark.parametrize("content", [None, "", "not json", "[]", "{}x", '{"type": "unheard-of"}', '{"a": 1}'])
async def test_unusable_credentials_file_is_reported_in_one_line(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "adc.json"
    if content is not None:
        file.write_text(content)
    environ = {"GOOGLE_APPLICATION_CREDENTIALS": str(file)}
    with pytest.raises(StoreRefusedError, match=r"gs://bucket.*adc\.json") as caught:
        await open_store(BucketAccess(parse_ref("gs://bucket")), LIMITS, environ=environ)
    assert "\n" not in str(caught.value)


async def test_token_service_that_fails_is_reported_without_its_words(tmp_path: Path) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=400, text='{"error": "invalid_grant", "echo": "made-up-secret"}')

    async with serve(answer) as server:
        environ = write_key(tmp_path, server.url)
        with pytest.raises(StoreError, match="token service answers 400") as caught:
            await open_store(BucketAccess(parse_ref("gs://bucket")), LIMITS, environ=environ)
    assert "made-up-secret" not in str(caught.value)


def test_file_is_where_google_says() -> None:
    name = "application_default_credentials.json"
    assert credentials_file({"GOOGLE_APPLICATION_CREDENTIALS": "/k.json"}) == (Path("/k.json"), True)
    assert credentials_file({"CLOUDSDK_CONFIG": "/conf"}) == (Path("/conf") / name, False)
    assert credentials_file({"HOME": "/home/me"}) == (Path("/home/me/.config/gcloud") / name, False)
