"""Servers that the storage tests share, and an environment without credentials."""

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from tests.servers import GoogleServer, S3Server, WebServer, run_google_server, run_s3_server, serve

pytest.register_assert_rewrite("tests.storage.contract")
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the credentials of whoever runs the tests: botocore reads the process's environment."""
    for name in (
        "ACCESS_KEY_ID",
        "SECRET_ACCESS_KEY",
        "SESSION_TOKEN",
        "PROFILE",
        "REGION",
        "DEFAULT_REGION",
    ):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    for name in ("ENDPOINT_URL", "ENDPOINT_URL_S3", "WEB_IDENTITY_TOKEN_FILE", "ROLE_ARN", "CA_BUNDLE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def dotfile(tmp_path: Path) -> Path:
    """The only file in which AWS credentials are found."""
    file = tmp_path / "aws-credentials"
    write_keys(file, "AKIDTEST", "made-up-secret")
    return file


def write_keys(file: Path, key_id: str, secret: str) -> None:
    """Write static keys to a dotfile."""
    file.write_text(f"[default]\naws_access_key_id = {key_id}\naws_secret_access_key = {secret}\n")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    with run_s3_server() as server:
        yield server


@pytest.fixture(scope="session")
def google_server() -> Iterator[GoogleServer]:
    with run_google_server() as server:
        yield server


@pytest_asyncio.fixture
async def token_server() -> AsyncIterator[WebServer]:
    """A server that gives a Google access token to every client."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"access_token": "made-up-token", "expires_in": 3600})

    async with serve(answer) as server:
        yield server


@pytest.fixture
def bucket_name() -> str:
    """A bucket name that no other test uses: the servers outlive a test."""
    return f"bucket-{next(_numbers)}"
