"""Pages of other origins, in a real browser: what they may read of a private volume, and what not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.browser import Browser, browsing, needs_chromium
from tests.servers import serve
from tests.serving import UUID, Server, config_text, serving
from tests.volumes import VolumeSpec, write_volume

FETCH = """
    return fetch(arguments[0]).then((answer) => answer.status, (error) => String(error));
"""
REBIND = "evil.example"


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    write_volume(tmp_path / "em", VolumeSpec(encoding="jpeg"))
    return tmp_path / "em"


async def blank(_: web.Request) -> web.Response:
    return web.Response(text="<!doctype html><title>a page</title>", content_type="text/html")


@asynccontextmanager
async def page_of(browser: Browser, host: str) -> AsyncIterator[str]:
    """Open a page of *host*, which the browser resolves to this machine; yield its origin."""
    async with serve(blank) as pages:
        origin = pages.url.replace("127.0.0.1", host)
        await browser.open(f"{origin}/")
        yield origin


async def read(browser: Browser, url: str) -> object:
    """Return the status of an answer that the page reads; the error if it may not."""
    return await browser.run(FETCH, url)


def paths() -> list[str]:
    node = f"/api/node/{UUID}/em"
    return ["/api/repos/info", f"{node}/info", f"{node}/subvolblocks/64_64_64/0_0_0", f"{node}/bogus"]


@needs_chromium
async def test_a_page_of_another_origin_reads_nothing_by_default_and_all_with_the_line(
    volume: Path, tmp_path: Path
) -> None:
    async with (
        browsing(resolve={"viewer.example": "127.0.0.1"}) as browser,
        page_of(browser, "viewer.example") as origin,
    ):
        async with serving(config_text({"em": volume}), tmp_path) as server:
            for path in paths():
                assert await read(browser, f"{server.url}{path}") == "TypeError: Failed to fetch"
            line = await shown_line(server)
            assert line == f'corsDomains = ["{origin}"]'
        async with serving(config_text({"em": volume}, f"[server]\n{line}"), tmp_path) as server:
            for path, status in zip(paths(), (200, 200, 200, 400), strict=True):
                assert await read(browser, f"{server.url}{path}") == status
            assert await shown_line(server) is None


async def shown_line(server: Server) -> str | None:
    """Return the line that the page at `/` offers, in a browser of its own; None if it offers none."""
    async with browsing() as browser:
        await browser.open(f"{server.url}/")
        await browser.wait_for("return document.querySelector('.volume')")
        assert browser.complaints() == []
        line: str | None = await browser.run("return document.querySelector('#refused code')?.textContent")
        return line


@needs_chromium
async def test_a_page_of_this_machine_reads_everything(volume: Path, tmp_path: Path) -> None:
    async with browsing() as browser, serving(config_text({"em": volume}), tmp_path) as server:
        for host in ("localhost", "127.0.0.1"):
            async with page_of(browser, host):
                for path, status in zip(paths(), (200, 200, 200, 400), strict=True):
                    assert await read(browser, f"{server.url}{path}") == status


@needs_chromium
async def test_a_page_that_makes_its_name_resolve_to_the_server_reads_nothing(
    volume: Path, tmp_path: Path
) -> None:
    """DNS rebinding: the server is of the page's own origin then, so CORS does not apply."""
    async with browsing(resolve={REBIND: "127.0.0.1"}) as browser:
        async with serving(config_text({"em": volume}), tmp_path) as server:
            rebound = server.url.replace("127.0.0.1", REBIND)
            await browser.open(f"{rebound}/")
            assert "allowed_hosts" in await browser.run("return document.body.innerText")
            for path in paths():
                assert await read(browser, f"{rebound}{path}") == 421
        more = f'[server]\nallowed_hosts = ["{REBIND}"]'
        async with serving(config_text({"em": volume}, more), tmp_path) as server:
            await browser.open(f"{server.url.replace('127.0.0.1', REBIND)}/")
            await browser.wait_for("return document.querySelector('.preview canvas.shown')")


@needs_chromium
async def test_a_frame_without_an_origin_reads_nothing(volume: Path, tmp_path: Path) -> None:
    script = """
        const frame = document.createElement("iframe");
        frame.sandbox = "allow-scripts";
        const inner = `fetch("${arguments[0]}").then(() => "read", (error) => String(error))` +
            `.then((said) => parent.postMessage(said, "*"))`;
        frame.srcdoc = `<script>${inner}</scr` + `ipt>`;
        return new Promise((resolve) => {
            window.addEventListener("message", ({ data }) => resolve(data));
            document.body.append(frame);
        });
    """
    async with (
        browsing() as browser,
        page_of(browser, "localhost"),
        serving(config_text({"em": volume}), tmp_path) as server,
    ):
        said = await asyncio.wait_for(browser.run(script, f"{server.url}/api/repos/info"), 20)
    assert said == "TypeError: Failed to fetch"
