"""The page at `/` over HTTPS, in a browser that trusts the authority of a lab, and in one that does not."""

import asyncio
import contextlib
import os
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest
from selenium.common.exceptions import WebDriverException

from tests.browser import browsing, needs_chromium
from tests.certificates import Authority, make_authority
from tests.processes import running, wait_until, write_config
from tests.programs import need
from tests.volumes import VolumeSpec, write_volume

NAME = "em.lab.example"
"""Not localhost, whose certificates Chromium takes as they are."""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    write_volume(tmp_path / "volume", VolumeSpec(encoding="jpeg", scale_levels=2))
    return write_config(
        tmp_path,
        tmp_path / "volume",
        f'httpAddress = "localhost:0"\ntls_cert = "server.pem"\nallowed_hosts = ["{NAME}"]',
    )


def home_that_trusts(authority: Authority) -> Path:
    """Make a home directory whose browsers trust *authority*, as an administrator would."""
    home = authority.directory / "home"
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    certutil = [need("certutil", "libnss3-tools"), "-d", f"sql:{database}"]
    subprocess.run([*certutil, "-N", "--empty-password"], check=True)
    subprocess.run([*certutil, "-A", "-t", "C,,", "-n", "lab", "-i", str(authority.bundle)], check=True)
    return home


@needs_chromium
async def test_the_page_and_neuroglancer_work_over_https(tmp_path: Path, config: Path) -> None:
    authority = make_authority(tmp_path)
    authority.issue(NAME)
    environ = {**os.environ, "HOME": str(home_that_trusts(authority))}
    with running(config) as command:
        url = (await asyncio.to_thread(command.url, scheme="https")).replace("localhost", NAME)
        async with browsing(resolve={NAME: "127.0.0.1"}, environ=environ) as browser:
            await browser.open(f"{url}/")
            await browser.wait_for("return document.querySelector('.preview canvas.shown')")
            assert await browser.run("return window.isSecureContext")
            await browser.open(f"{url}/#em")
            await browser.wait_for(
                "return document.getElementById('canvas').dataset.state", lambda state: state == "ready"
            )
            assert browser.complaints() == []
            link = await browser.run("return document.getElementById('viewer-neuroglancer').href")
            assert f"dvid://{url}/" in unquote(link)
            await browser.open(link)
            served = "call=subvolblocks/"
            await asyncio.to_thread(
                wait_until, lambda: sum(served in line and "status=200" in line for line in command.lines) > 5
            )


@needs_chromium
async def test_a_browser_that_does_not_know_the_authority_shows_nothing(tmp_path: Path, config: Path) -> None:
    make_authority(tmp_path).issue(NAME)
    with running(config) as command:
        url = (await asyncio.to_thread(command.url, scheme="https")).replace("localhost", NAME)
        async with browsing(resolve={NAME: "127.0.0.1"}) as browser:
            with contextlib.suppress(WebDriverException):
                await browser.open(f"{url}/")
            assert "ERR_CERT_AUTHORITY_INVALID" in await browser.run("return document.body.innerText")
