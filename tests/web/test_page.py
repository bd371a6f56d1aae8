"""The page at `/`, as a person sees it: in a real browser, on a real server."""

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dvidpc.dvid.services import SERVICES
from dvidpc.http.access_log import RequestCounts
from dvidpc.web.page import load_page
from tests.browser import Browser, browsing, needs_chromium
from tests.serving import UUID, Server, config_text, serving
from tests.volumes import VolumeSpec, Voxels, sharding, write_volume

SPEC = VolumeSpec(size=(300, 200, 90), encoding="jpeg", sharding=sharding(), scale_levels=3)
STATE = "return document.getElementById('canvas').dataset"


@pytest.fixture
def truth(tmp_path: Path) -> list[Voxels]:
    return write_volume(tmp_path / "volume", SPEC)


@pytest.fixture
async def server(tmp_path: Path, truth: list[Voxels]) -> AsyncIterator[Server]:
    assert truth
    stores = {"em": tmp_path / "volume", "lost": tmp_path / "nowhere"}
    async with serving(config_text(stores), tmp_path) as running:
        yield running


def is_ready(dataset: Any) -> bool:  # noqa: ANN401 - JSON
    return dataset is not None and dataset.get("state") == "ready"


def numbers_in(pattern: str, text: str) -> list[float]:
    """The groups of the first match, as numbers."""
    match = re.search(pattern, text)
    assert match, text
    return [float(group) for group in match.groups()]


def differs_from(before: str) -> Callable[[Any], bool]:
    return lambda now: now not in (None, before)


async def viewing(browser: Browser, server: Server, address: str = "em") -> dict[str, str]:
    await browser.open(f"{server.url}/#{address}")
    shown: dict[str, str] = await browser.wait_for(STATE, is_ready)
    return shown


async def assert_pixels(browser: Browser, truth: list[Voxels], level: int, slice_number: int) -> None:
    """Compare pixels of the canvas with the voxels that the page's own coordinates put there."""
    for x, y in ((500, 300), (640, 400), (700, 500), (800, 340)):
        point = {"type": "mouseMoved", "x": x, "y": y}
        await browser.command("Input.dispatchMouseEvent", **point)
        script = """
            const canvas = document.getElementById("canvas"), box = canvas.getBoundingClientRect();
            const pixel = new OffscreenCanvas(1, 1).getContext("2d");
            pixel.drawImage(canvas, box.left - arguments[0], box.top - arguments[1]);
            const [red] = pixel.getImageData(0, 0, 1, 1).data;
            return [red, document.getElementById("pointer").textContent];
        """
        red, words = await browser.run(script, x, y)
        voxel = [int(number) // 2**level for number in re.findall(r"-?\d+", words)]
        near = truth[level][
            max(0, voxel[0] - 1) : voxel[0] + 2, max(0, voxel[1] - 1) : voxel[1] + 2, slice_number, 0
        ].astype(int)
        assert near.min() - 6 <= red <= near.max() + 6, (words, red, near)


@needs_chromium
async def test_page_shows_every_volume_and_asks_nobody_else(server: Server) -> None:
    async with browsing() as browser:
        await browser.open(f"{server.url}/")
        await browser.wait_for("return document.querySelector('.preview canvas.shown')")
        text = await browser.run("return document.body.innerText")
        assert "300 × 200 × 90 voxels of 8 × 8 × 8 nm" in text
        assert "nowhere" in text
        assert "1 of 2 volumes not readable" in text
        assert UUID in text
        assert await browser.run("return document.querySelectorAll('.scales tbody tr').length") == 3
        assert browser.complaints() == []
        assert browser.hosts_asked() == {server.url.removeprefix("http://")}


@needs_chromium
async def test_slice_shows_the_right_pixels_and_follows_wheel_keys_and_pickers(
    server: Server, truth: list[Voxels]
) -> None:
    async with browsing() as browser:
        shown = await viewing(browser, server)
        assert (shown["instance"], shown["slice"]) == ("em", "45")
        await assert_pixels(browser, truth, 0, 45)

        await browser.wheel(640, 400, 100)
        await browser.wait_for(STATE, lambda now: is_ready(now) and now["slice"] == "46")
        await assert_pixels(browser, truth, 0, 46)

        choose = "const s = document.getElementById('scale'); s.value = arguments[0]; s.dispatchEvent(new Event('change'))"
        await browser.run(choose, "2")
        await browser.wait_for(STATE, lambda now: is_ready(now) and now["instance"] == "em_2")
        await assert_pixels(browser, truth, 2, 46 // 4)
        await browser.run(choose, "auto")

        before = await browser.run("return location.hash")
        await browser.drag((640, 400), (560, 430))
        after = await browser.wait_for("return location.hash", differs_from(before))
        moved = numbers_in(r"at=(\d+),(\d+),(\d+)", after)
        assert moved[0] > 150
        assert moved[1] < 100

        await browser.run("document.querySelector('input[value=xz]').click()")
        await browser.wait_for(STATE, lambda now: is_ready(now) and int(now["slice"]) == moved[1])
        assert browser.complaints() == []


@needs_chromium
async def test_link_to_a_view_opens_it(server: Server, truth: list[Voxels]) -> None:
    async with browsing() as browser:
        shown = await viewing(browser, server, "em?plane=xy&at=100,80,30&nm=4&scale=em_1")
        assert (shown["instance"], shown["slice"]) == ("em_1", "15")
        assert "x 100  y 80  z 30" in await browser.run(
            "return document.getElementById('pointer').textContent"
        )
        await assert_pixels(browser, truth, 1, 15)
        before = await browser.run("return location.hash")
        await browser.wheel(640, 400, -200, ctrl=True)
        after = await browser.wait_for("return location.hash", differs_from(before))
        assert numbers_in(r"nm=([\d.]+)", after)[0] < 4


@needs_chromium
async def test_slice_that_cannot_be_read_is_marked_as_such(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec())
    for chunk in (tmp_path / "volume" / "s0").iterdir():
        chunk.write_bytes(b"short")
    async with serving(config_text({"em": tmp_path / "volume"}), tmp_path) as server, browsing() as browser:
        await browser.open(f"{server.url}/#em")
        await browser.wait_for(STATE, lambda now: now and now.get("state") == "failed")
        assert "raw chunk has 5 bytes" in await browser.run(
            "return document.getElementById('message').innerText"
        )


@needs_chromium
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
async def test_page_fits_the_window_and_its_text_can_be_read(width: int, theme: str, server: Server) -> None:
    async with browsing(width, 800, "dark" if theme == "dark" else "light") as browser:
        await browser.open(f"{server.url}/")
        await browser.wait_for("return document.querySelector('.snippet pre, .snippet dl')")
        assert await browser.run("return document.documentElement.scrollWidth") == width
        contrasts = await browser.run(CONTRASTS)
        assert {words: ratio for words, ratio in contrasts if ratio < 4.5} == {}


CONTRASTS = """
    const parse = (color) => color.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (e) => { for (; e; e = e.parentElement) {
        const c = parse(getComputedStyle(e).backgroundColor); if (c[3] !== 0) return c; } return [255, 255, 255]; };
    return [...document.querySelectorAll("#home *")]
        .filter((e) => e.checkVisibility() && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
        .map((e) => { const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort();
            return [e.innerText, (b + 0.05) / (a + 0.05)]; });
"""


@needs_chromium
async def test_everything_can_be_reached_by_keyboard(server: Server) -> None:
    async with browsing() as browser:
        await viewing(browser, server)
        nameless = """return [...document.querySelectorAll("a, button, select, input")]
            .filter((e) => e.checkVisibility() && !(e.innerText.trim() || e.ariaLabel || e.labels?.length)).length"""
        assert await browser.run(nameless) == 0
        for key in ("PageDown", "+", "ArrowLeft", "2"):
            before = await browser.run("return location.hash")
            press = "document.getElementById('canvas').dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0]}))"
            await browser.run(press, key)
            await browser.wait_for("return location.hash", differs_from(before))
        await browser.run(press, "Escape")
        assert await browser.wait_for("return document.querySelector('#home').checkVisibility()")


@needs_chromium
async def test_neuroglancer_on_board_shows_the_volume(server: Server) -> None:
    async with browsing() as browser:
        await browser.open(f"{server.url}/")
        find = "return [...document.querySelectorAll('a')].find((a) => a.innerText.includes('Neuroglancer'))?.href"
        await browser.open(await browser.wait_for(find))
        requests = server.app[SERVICES].access_log.requests
        await browser.wait_for("return 1", lambda _: blocks_read(requests) > 10)
        words = await browser.run("return document.body.innerText")
        assert "Disconnected" not in words
        assert "Error" not in words
        assert browser.hosts_asked() == {server.url.removeprefix("http://")}


def blocks_read(requests: Mapping[tuple[str, str], RequestCounts]) -> int:
    return requests.get(("subvolblocks", "200"), RequestCounts()).blocks


async def test_page_is_strict_about_what_it_loads(server: Server) -> None:
    for path in ("/", "/page/main.js", "/page/style.css", "/page/icon.svg"):
        async with server.session.get(f"{server.url}{path}") as response:
            assert response.status == 200
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            etag = response.headers["ETag"]
        async with server.session.get(f"{server.url}{path}", headers={"If-None-Match": etag}) as response:
            assert response.status == 304
    assert (await server.error("/page/nothing.js"))[0] == 404
    assert (await server.error("/page/__init__.py"))[0] == 404
    async with server.session.head(f"{server.url}/") as response:
        assert (response.status, await response.read()) == (200, b"")


def test_page_names_no_other_host() -> None:
    for name, (body, _) in load_page().items():
        urls = set(re.findall(rb"https?://[^\s\"'`$)]+", body)) - {b"http://www.w3.org/2000/svg"}
        assert urls == set(), name


async def test_channels_of_a_volume_are_shown_one_by_one(tmp_path: Path) -> None:
    write_volume(tmp_path / "volume", VolumeSpec(data_type="uint16", num_channels=2, scale_levels=2))
    async with serving(config_text({"em": tmp_path / "volume"}), tmp_path) as server:
        volumes = json.loads(await server.get("/api/server/volumes"))["volumes"]
    assert [[scale["name"] for scale in volume["scales"]] for volume in volumes] == [
        ["em", "em_1"],
        ["em_c1", "em_c1_1"],
    ]
    assert [volume["instance"] for volume in volumes] == ["em", "em_c1"]


async def test_overview_says_what_is_served_and_how(server: Server) -> None:
    async with server.session.get(f"{server.url}/api/server/volumes") as response:
        document = await response.json()
    em, lost = document["volumes"]
    assert (em["problem"], em["type"]) == (None, "uint8blk")
    assert [scale["name"] for scale in em["scales"]] == ["em", "em_1", "em_2"]
    assert em["scales"][1]["size"] == [150, 100, 45]
    assert em["scales"][0]["served"] == "as stored"
    assert lost["scales"] == []
    assert "nowhere" in lost["problem"]
    assert np.array_equal(em["scales"][2]["resolution_nm"], [32, 32, 32])
