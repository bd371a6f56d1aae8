"""A store whose credentials fail says why in log, readiness and answers, and is served after the repair."""

import asyncio
import logging
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.commands import running
from tests.servers import serve, serve_directory
from tests.serving import Server, config_text, serving
from tests.storage.s3.helpers import GOOD, WORDS, Helper, with_expiry
from tests.volumes import VolumeSpec, write_volume

WITHIN_S = 15.0
"""After the repair, the volume must be served again within this time."""


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only the dotfiles of the test name credentials."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


class Bucket:
    """An S3 service with one volume, which may take a key for expired."""

    def __init__(self, directory: Path) -> None:
        self.expired: set[str] = set()
        self.url = ""
        write_volume(directory / "bucket" / "em", VolumeSpec(size=(64, 64, 64)))
        self._read = serve_directory(directory)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        if request.method == "HEAD":
            return web.Response()
        if any(f"Credential={key_id}/" in request.headers["Authorization"] for key_id in self.expired):
            return web.Response(status=403, text="<Error><Code>ExpiredToken</Code></Error>")
        return await self._read(request)

    @property
    def store(self) -> str:
        """The section of the configuration."""
        return f'endpoint = "{self.url}"\nregion = "us-east-1"\n'


@asynccontextmanager
async def running_bucket(directory: Path) -> AsyncIterator[Bucket]:
    bucket = Bucket(directory)
    async with serve(bucket.answer) as server:
        bucket.url = server.url
        yield bucket


async def until_served(server: Server, node: str) -> float:
    """Wait until a block is served; return the seconds that took."""
    began = time.monotonic()
    while True:
        async with server.ask("GET", f"{node}/em/specificblocks?blocks=0,0,0") as response:
            if response.status == 200:
                break
        assert time.monotonic() - began < WITHIN_S
        await asyncio.sleep(0.1)
    return time.monotonic() - began


def errors_in(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return the errors about stores, as against those about requests, of which none may be a bug."""
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert all(record.exc_info is None for record in errors)
    return [record for record in errors if record.name == "dvidpc.data.volumes"]


@pytest.mark.parametrize("case", ["banner", "profile"])
async def test_reason_is_logged_once_and_repair_is_noticed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    helper = Helper(tmp_path, tmp_path / "aws-config", "lab")
    words = "credential_process of profile 'lab' gives what is not a set of credentials"
    if case == "banner":
        helper.print(f"Logging in ...\n{GOOD}")
    else:
        (tmp_path / "aws-config").write_text("")
        words = r"AWS settings: The config profile (lab) could not be found"
    async with running_bucket(tmp_path) as bucket:
        text = config_text({"em": "s3://bucket/em"}, bucket.store + 'profile = "lab"\n')
        async with serving(text, tmp_path) as server:
            status, body = await server.error(f"{server.node}/em/specificblocks?blocks=0,0,0")
            assert status == 503
            assert words in body
            status, ready = await server.error("/readyz")
            assert status == 503
            assert words in ready
            [record] = errors_in(caplog)
            assert words in record.getMessage()
            assert "retrying every 10 s" in record.getMessage()
            Helper(tmp_path, tmp_path / "aws-config", "lab").print(GOOD)
            await until_served(server, server.node)
            assert (await server.error("/readyz"))[0] == 200
    assert WORDS not in caplog.text


async def test_helper_that_breaks_later_is_unavailable_and_never_a_bug(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    helper = Helper(tmp_path, tmp_path / "aws-config")
    helper.print(with_expiry("2040-01-01T00:00:00Z"))
    async with running_bucket(tmp_path) as bucket:
        text = config_text({"em": "s3://bucket/em"}, bucket.store)
        async with serving(text, tmp_path) as server:
            await server.get(f"{server.node}/em/metadata")
            bucket.expired.add("AKIDTEST")
            helper.print("Logging in ...\n[]")
            status, body = await server.error(f"{server.node}/em/specificblocks?blocks=0,0,0")
            assert status == 503
            assert "the credentials have expired" in body
            status, ready = await server.error("/readyz")
            assert status == 503
            assert "the credentials have expired" in ready
            helper.print(with_expiry("2040-01-01T00:00:00Z", "AKIDNEW"))
            await until_served(server, server.node)
    assert not errors_in(caplog)
    assert "credential_process gives what is not a set of credentials" in caplog.text
    assert WORDS not in caplog.text


async def test_command_logs_one_line_and_no_word_of_the_helper(tmp_path: Path) -> None:
    helper = Helper(tmp_path, tmp_path / "aws-config")
    helper.print(with_expiry("tomorrow"))
    async with running_bucket(tmp_path) as bucket:
        text = config_text({"em": "s3://bucket/em"}, bucket.store)
        async with running(f'[server]\nhttpAddress = "localhost:0"\n{text}', tmp_path) as command:
            await command.read_until("listening|serving|http://")
    log = "\n".join(command.lines)
    assert len(re.findall("gives an Expiration that is not a time", log)) >= 1
    assert "Traceback" not in log
    assert WORDS not in log


@pytest.mark.parametrize(
    ("printed", "advice"),
    [("[]", "run it by hand"), (f"banner\n{GOOD}", "run it by hand"), (with_expiry("x"), "run it by hand")],
)
async def test_check_says_it_in_one_line_with_the_fix(tmp_path: Path, printed: str, advice: str) -> None:
    helper = Helper(tmp_path, tmp_path / "aws-config")
    helper.print(printed)
    async with running_bucket(tmp_path) as bucket:
        path = tmp_path / "config.toml"
        path.write_text(config_text({"em": "s3://bucket/em"}, bucket.store))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "dvidpc", "check", str(path)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
    assert process.returncode == 1
    [problem] = [line for line in out.decode().splitlines() if "problem" in line]
    assert "credential_process" in problem
    assert f"fix: {advice}" in out.decode()
    assert helper.runs == 1
    assert b"Traceback" not in err
    assert WORDS.encode() not in out + err
