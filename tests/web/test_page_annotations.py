"""Annotations on the page at `/`, as a person sees them: in a real browser, on a real server."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser import Browser, browsing, needs_chromium
from tests.segmentation import stripes, write_segmentation
from tests.serving import Asked, Server, config_text, serving
from tests.synapses import writer_of
from tests.volumes import VolumeSpec, write_volume

SHOWN = "return document.getElementById('canvas').dataset"
DRAWN = "return document.getElementById('annotations').dataset"
LINES = [((100, 100, 40), (130, 110, 44)), ((100, 100, 40), (90, 120, 38)), ((200, 60, 20), (210, 70, 21))]
"""A to B, in voxels of 16 nm; the image has voxels of 8 nm."""


@pytest.fixture
async def asked() -> list[Asked]:
    return []


@pytest.fixture
async def server(tmp_path: Path, asked: list[Asked]) -> AsyncIterator[Server]:
    write_volume(tmp_path / "em", VolumeSpec(size=(512, 320, 128), encoding="jpeg", scale_levels=2))
    write_segmentation(tmp_path / "seg", [stripes((256, 160, 64), (7, 9))], (16, 16, 16))
    writer = writer_of("line", ["body_pre", "body_post"], [{"id": "conf", "type": "float32"}], 16)
    for number, (a, b) in enumerate(LINES, 1):
        writer.add_line(a, b, number, body_pre=7, body_post=9, conf=0.5)
    writer.write(tmp_path / "syn")
    stores: dict[str, Path | str] = {name: tmp_path / name for name in ("em", "seg", "syn")}
    stores["gone"] = tmp_path / "nowhere"
    async with serving(config_text(stores), tmp_path, on_answer=asked.append) as running:
        yield running


async def view(browser: Browser, server: Server, address: str) -> dict[str, str]:
    """Open a view, wait until it is complete, and return what is known of the drawn annotations."""
    await browser.open(f"{server.url}/#{address}")
    await browser.wait_for(SHOWN, lambda now: now is not None and now.get("state") == "ready")
    drawn: dict[str, str] = await browser.run(DRAWN)
    return drawn


async def color_of(browser: Browser, voxel: tuple[int, int], at: tuple[int, int], nm: float) -> list[int]:
    """Return the color at a voxel of 16 nm; *at* is the voxel of 8 nm in the middle of the window."""
    script = """
        const canvas = document.getElementById("annotations"), box = canvas.getBoundingClientRect();
        const [u, v] = arguments[0], [x, y] = arguments[1], nm = arguments[2];
        const right = ((u + 0.5) * 16 - (x + 0.5) * 8) / nm + box.width / 2;
        const down = ((v + 0.5) * 16 - (y + 0.5) * 8) / nm + box.height / 2;
        const pixel = new OffscreenCanvas(1, 1).getContext("2d");
        pixel.drawImage(canvas, -Math.floor(right), -Math.floor(down));
        return [...pixel.getImageData(0, 0, 1, 1).data];
    """
    color: list[int] = await browser.run(script, list(voxel), list(at), nm)
    return color


@needs_chromium
async def test_the_page_lists_collections(server: Server) -> None:
    async with browsing() as browser:
        await browser.open(f"{server.url}/")
        await browser.wait_for("return document.querySelector('.volume.collection')")
        text = await browser.run("return document.querySelector('.volume.collection').innerText")
        assert "3 annotations of type line, served as annotation; properties conf" in text
        assert "belongs to segmentation seg" in text
        assert "synapses" not in text
        links = await browser.run(
            "return [...document.querySelectorAll('.collection a')].map((link) => link.getAttribute('href'))"
        )
        assert any(link.endswith("/syn/help") for link in links)
        assert any(link.endswith("/syn_labelsz/help") for link in links)
        assert "#em?annotations=syn" in links
        assert "1 of 4 volumes not readable" in await browser.run("return document.body.innerText")
        assert browser.complaints() == []


@needs_chromium
async def test_dots_and_lines_lie_where_they_belong(server: Server, asked: list[Asked]) -> None:
    async with browsing() as browser:
        drawn = await view(browser, server, "em?plane=xy&at=200,200,80&nm=2")
        assert drawn == {"instance": "syn", "elements": "3"}
        at, nm = (200, 200), 2
        yellow, blue = await color_of(browser, (100, 100), at, nm), await color_of(browser, (90, 120), at, nm)
        assert yellow[0] > 200 > yellow[2]  # the T-bar is in the slice
        assert blue[2] > 200 > blue[0]
        assert yellow[3] > blue[3] > 0  # and the other two voxels off
        on_line = await color_of(browser, (95, 110), at, nm)
        assert on_line[3] > 0
        assert min(on_line[:3]) > 150
        assert (await color_of(browser, (120, 90), at, nm))[3] == 0
        requests = [one.path for one in asked if "/syn/elements/" in one.path]
        assert requests
        assert all(one.status == 200 for one in asked if "/syn/" in one.path)
        assert len(requests) <= 2
        assert browser.complaints() == []


@needs_chromium
async def test_other_planes_and_volumes_show_them_too(server: Server) -> None:
    async with browsing() as browser:
        assert (await view(browser, server, "em?plane=xz&at=200,200,80&nm=2"))["elements"] == "1"
        assert (await view(browser, server, "seg?plane=yz&at=200,65,20&nm=4"))["elements"] == "1"
        assert (await view(browser, server, "seg?plane=xy&at=200,65,20&nm=4"))["elements"] == "2"
        assert (await view(browser, server, "em?plane=xy&at=200,200,5&nm=2"))["elements"] == "0"


@needs_chromium
async def test_they_can_be_chosen_and_the_link_says_so(server: Server) -> None:
    async with browsing() as browser:
        await view(browser, server, "em?plane=xy&at=200,200,80&nm=2")
        script = """
            const choice = document.getElementById("annotations-name");
            choice.value = "";
            choice.dispatchEvent(new Event("change"));
        """
        await browser.run(script)
        await browser.wait_for(DRAWN, lambda now: now is not None and now["elements"] == "0")
        address = await browser.wait_for("return location.hash", lambda now: "annotations=" in (now or ""))
        assert (await view(browser, server, address.removeprefix("#")))["elements"] == "0"


@needs_chromium
async def test_an_element_is_described_under_the_pointer(server: Server) -> None:
    async with browsing() as browser:
        await view(browser, server, "em?plane=xy&at=201,201,80&nm=2")
        box = await browser.run(
            "const b = document.getElementById('canvas').getBoundingClientRect();"
            "return [b.left + b.width / 2, b.top + b.height / 2]"
        )
        x, y = (int(np.floor(each)) for each in box)
        await browser.command("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        words = await browser.wait_for("return document.getElementById('pointed-annotation').textContent")
        assert words == "PreSyn at 100, 100, 40 · conf 0.5"


async def test_the_overview_describes_collections(server: Server) -> None:
    overview: dict[str, Any] = json.loads(await server.get("/api/server/volumes"))
    assert [volume["instance"] for volume in overview["volumes"]] == ["em", "seg", "gone"]
    [collection] = overview["collections"]
    assert collection.pop("url").endswith("/syn")
    assert collection.pop("explanation")[0].startswith("annotations of type line")
    assert collection == {
        "store": "syn",
        "instance": "syn",
        "problem": None,
        "type": "annotation",
        "geometry": "line",
        "count": 3,
        "properties": ["conf"],
        "relationships": ["body_pre", "body_post"],
        "sync": "seg",
        "voxel_size_nm": [16, 16, 16],
        "bounds": [[0, 0, 0], [256, 160, 64]],
        "counts": "syn_labelsz",
    }
