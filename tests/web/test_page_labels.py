"""Labels on the page at `/`, as a person sees them: in a real browser, on a real server."""

import asyncio
import json
import re
from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import numpy as np
import pytest
from imagecodecs import png_decode

from tests.browser import PATIENCE_S, Browser, browsing, needs_chromium
from tests.label_index import write_index
from tests.segmentation import HUGE, stripes, write_segmentation
from tests.serving import Asked, Server, config_text, serving
from tests.volumes import VolumeSpec, write_volume

LABELS = stripes((100, 70, 40), (7, *HUGE))
OFFSET = (20, 10, 5)
"""The labels' voxels have 16 nm, those of the image 8 nm, and they cover different boxes."""
POINTS = [(x, y) for x in (430, 470, 511, 548, 590, 700) for y in (250, 402, 560)]
SHOWN = "return document.getElementById('canvas').dataset"


class Seen(NamedTuple):
    """What a person sees at a point of the slice."""

    voxel: tuple[int, int, int]
    """Of the finest scale of the volume that is viewed."""
    segment: int | None
    """The number that the page shows; None if it shows none."""
    color: tuple[int, int, int, int]


@pytest.fixture
async def asked() -> list[Asked]:
    return []


@pytest.fixture
def more() -> str:
    """Text at the end of the configuration, in the section of the labels."""
    return ""


@pytest.fixture
async def server(tmp_path: Path, asked: list[Asked], more: str) -> AsyncIterator[Server]:
    write_volume(tmp_path / "em", VolumeSpec(size=(300, 200, 90), encoding="jpeg", scale_levels=3))
    write_segmentation(tmp_path / "seg", [LABELS, LABELS[::2, ::2, ::2]], (16, 16, 16), OFFSET)
    stores = {"em": tmp_path / "em", "seg": tmp_path / "seg"}
    info = json.loads((tmp_path / "seg" / "info").read_text())
    (tmp_path / "seg" / "info").write_text(
        json.dumps({**info, "mesh": "mesh", "segment_properties": "properties"})
    )
    async with serving(config_text(stores, more), tmp_path, on_answer=asked.append) as running:
        yield running


def truth(voxel: tuple[int, int, int], nm: int = 8) -> int:
    """Return the label at a voxel of *nm*; 0 outside of the labels' box."""
    at = np.array(voxel) * nm // 16 - OFFSET
    return int(LABELS[tuple(at)]) if (at >= 0).all() and (at < LABELS.shape).all() else 0


async def view(browser: Browser, server: Server, address: str) -> None:
    await browser.open(f"{server.url}/#{address}")
    await settle(browser)


async def settle(browser: Browser) -> None:
    await browser.wait_for(SHOWN, lambda now: now is not None and now.get("state") == "ready")


async def look(browser: Browser, x: int, y: int, canvas: str = "overlay") -> Seen:
    await browser.command("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    script = """
        const canvas = document.getElementById(arguments[2]), box = canvas.getBoundingClientRect();
        const pixel = new OffscreenCanvas(1, 1).getContext("2d");
        pixel.drawImage(canvas, box.left - arguments[0], box.top - arguments[1]);
        return [document.getElementById("pointer").textContent,
                document.getElementById("pointed-segment").textContent,
                [...pixel.getImageData(0, 0, 1, 1).data]];
    """
    words, segment, color = await browser.run(script, x, y, canvas)
    x, y, z = map(int, re.findall(r"-?\d+", words))
    shown = re.fullmatch(r"segment (\d+)", segment)
    return Seen((x, y, z), int(shown[1]) if shown else None, tuple(color))


async def look_everywhere(browser: Browser, canvas: str = "overlay") -> list[Seen]:
    return [await look(browser, x, y, canvas) for x, y in POINTS]


def assert_colors_tell_labels_apart(seen: list[Seen]) -> None:
    colors: dict[int, set[Any]] = {}
    for one in seen:
        colors.setdefault(one.segment or 0, set()).add(one.color)
    assert all(len(of_label) == 1 for of_label in colors.values())
    assert len(set().union(*colors.values())) == len(colors)
    assert colors[0] == {(0, 0, 0, 0)}
    assert {color[3] for label, (color,) in colors.items() if label} == {255}


async def set_value(browser: Browser, id_: str, value: str, event: str = "change") -> None:
    script = """
        const input = document.getElementById(arguments[0]);
        input.value = arguments[1];
        input.dispatchEvent(new Event(arguments[2]));
    """
    await browser.run(script, id_, value, event)
    await settle(browser)


@needs_chromium
@pytest.mark.parametrize("more", ["", 'label_type = "labelblk"\n', 'label_type = "both"\n'])
async def test_labels_lie_over_the_image_where_they_belong(server: Server) -> None:
    async with browsing() as browser:
        await view(browser, server, "em?plane=xy&at=130,90,40&nm=4")
        seen = await look_everywhere(browser)
        assert [one.segment or 0 for one in seen] == [truth(one.voxel) for one in seen]
        assert {*HUGE, 7} <= {one.segment for one in seen}
        assert_colors_tell_labels_apart(seen)
        assert browser.complaints() == []


@needs_chromium
@pytest.mark.parametrize("plane", ["xz", "yz"])
async def test_labels_are_right_in_every_plane_and_scale(
    server: Server, asked: list[Asked], plane: str
) -> None:
    async with browsing() as browser:
        await view(browser, server, f"em?plane={plane}&at=131,91,41&nm=2")
        seen = await look_everywhere(browser)
        assert [one.segment or 0 for one in seen] == [truth(one.voxel) for one in seen]
        assert len({one.segment for one in seen}) > 1 or plane == "yz"
        await view(browser, server, f"em?plane={plane}&at=131,91,41&nm=40")
        assert any("/seg/raw/0_1_2/" in one.path and "scale=1" in one.path for one in asked)
        seen = await look_everywhere(browser)
        for one in seen:
            x, y, z = (np.array(one.voxel) // 4 - np.array(OFFSET) // 2).tolist()
            inside = 0 <= x < 50 and 0 <= y < 35 and 0 <= z < 20
            assert (one.segment or 0) == (int(LABELS[2 * x, 2 * y, 2 * z]) if inside else 0)


@needs_chromium
async def test_a_click_shows_one_segment_and_the_next_all(server: Server) -> None:
    async with browsing() as browser:
        await view(browser, server, "em?plane=xy&at=130,90,40&nm=4")
        seen = await look_everywhere(browser)
        at = POINTS[[one.segment for one in seen].index(HUGE[2])]
        await browser.drag(at, at)
        await browser.wait_for("return location.hash", lambda now: f"segment={HUGE[2]}" in (now or ""))
        assert await browser.run("return document.getElementById('segment').value") == str(HUGE[2])
        alone = await look_everywhere(browser)
        assert {one.segment for one in alone if one.color[3]} == {HUGE[2]}
        await browser.drag(at, (at[0] + 40, at[1]))  # Panning is no click.
        assert f"segment={HUGE[2]}" in await browser.run("return location.hash")
        await browser.drag(at, at)
        await browser.wait_for("return location.hash", lambda now: now and "segment" not in now)
        assert len({one.segment for one in await look_everywhere(browser) if one.color[3]}) > 1


EXTENT = "const place = document.getElementById('extent'); return place.hidden ? '' : place.textContent"


@needs_chromium
async def test_a_click_shows_size_and_bounding_box_of_an_indexed_segment(tmp_path: Path) -> None:
    write_volume(tmp_path / "em", VolumeSpec(size=(300, 200, 90), encoding="jpeg", scale_levels=3))
    write_segmentation(tmp_path / "seg", [LABELS, LABELS[::2, ::2, ::2]], (16, 16, 16), OFFSET)
    write_index(tmp_path / "index", (tmp_path / "seg" / "info").read_bytes(), LABELS.T, OFFSET)
    stores = {"em": tmp_path / "em", "seg": tmp_path / "seg"}
    text = config_text(stores, f'label_index = "{tmp_path}/index"\n')
    blocks = (np.argwhere(HUGE[2] == LABELS) + OFFSET) // 64
    low, high = 64 * blocks.min(axis=0), 64 * blocks.max(axis=0) + 63
    box = ", ".join(f"{axis} {a} to {b}" for axis, a, b in zip("xyz", low, high, strict=True))
    count, voxels = len(np.unique(blocks, axis=0)), np.count_nonzero(HUGE[2] == LABELS)
    async with serving(text, tmp_path) as server, browsing() as browser:
        await view(browser, server, "em?plane=xy&at=130,90,40&nm=4")
        assert await browser.run(EXTENT) == ""
        seen = await look_everywhere(browser)
        at = POINTS[[one.segment for one in seen].index(HUGE[2])]
        await browser.drag(at, at)
        said = await browser.wait_for(EXTENT)
        assert said == f"segment {HUGE[2]}: {voxels:,} voxels in {count} blocks of seg, {box}"
        await browser.drag(at, at)
        await browser.wait_for(EXTENT, lambda now: now == "")
        await set_value(browser, "segment", "999")
        assert await browser.wait_for(EXTENT) == "segment 999 is not in this volume"
        await browser.open(f"{server.url}/")
        words = "return document.querySelectorAll('.volume')[1]?.innerText"
        assert "Label index: 4 labels" in await browser.wait_for(words)


@needs_chromium
async def test_a_link_opens_the_segment_and_opacity_that_it_names(server: Server) -> None:
    async with browsing() as browser:
        await view(browser, server, f"em?plane=xy&at=130,90,40&nm=4&opacity=75&segment={HUGE[0]}")
        assert {one.segment for one in await look_everywhere(browser) if one.color[3]} == {HUGE[0]}
        opacity = "return getComputedStyle(document.getElementById('overlay')).opacity"
        assert await browser.run(opacity) == "0.75"
        await set_value(browser, "opacity", "20", "input")
        assert await browser.run(opacity) == "0.2"
        await set_value(browser, "segment", str(HUGE[1]))
        assert {one.segment for one in await look_everywhere(browser) if one.color[3]} == {HUGE[1]}
        await set_value(browser, "segment", str(2**64))  # No label is as large, so all are shown.
        assert len({one.segment for one in await look_everywhere(browser) if one.color[3]}) > 1
        await set_value(browser, "overlay-name", "")
        assert {one.color[3] for one in await look_everywhere(browser)} == {0}
        await browser.wait_for(
            "return location.hash", lambda now: now and "overlay=" in now and "opacity" not in now
        )


@needs_chromium
async def test_a_segmentation_is_a_card_and_can_be_viewed_alone(server: Server) -> None:
    async with browsing() as browser:
        await browser.open(f"{server.url}/")
        await browser.wait_for("return document.querySelectorAll('.preview canvas.shown').length === 2")
        words = await browser.run("return document.querySelectorAll('.volume')[1].innerText")
        assert "labelmap, 2 scales" in words
        assert "seg?scale=1" in words
        assert "seg_meshes (keyvalue)" in words
        assert "seg_annotations (neuronjson)" in words
        await view(browser, server, "seg?plane=xy&at=70,45,20&nm=6")
        seen = await look_everywhere(browser, "canvas")
        assert [one.segment or 0 for one in seen] == [truth(one.voxel, 16) for one in seen]
        assert_colors_tell_labels_apart(seen)
        chosen = next(one for one in seen if one.segment in HUGE)
        at = POINTS[seen.index(chosen)]
        await browser.drag(at, at)
        await browser.wait_for("return location.hash", lambda now: f"segment={chosen.segment}" in (now or ""))
        alone = await look_everywhere(browser, "canvas")
        assert {one.segment for one in alone if one.color[3]} == {chosen.segment}
        await view(browser, server, "seg?plane=xy&at=70,45,20&nm=6&scale=seg%3Fscale%3D1")
        assert (await browser.run(SHOWN))["instance"] == "seg?scale=1"
        assert browser.complaints() == []


@needs_chromium
async def test_labels_that_cannot_be_read_are_marked_as_such(tmp_path: Path, server: Server) -> None:
    for chunk in (tmp_path / "seg" / "s0").iterdir():
        chunk.write_bytes(b"short")
    async with browsing() as browser:
        await browser.open(f"{server.url}/#em?plane=xy&at=130,90,40&nm=4")
        await browser.wait_for(SHOWN, lambda now: now and now.get("state") == "failed")
        assert "seg/s0/" in await browser.run("return document.getElementById('message').innerText")


@needs_chromium
async def test_neuroglancer_on_board_opens_image_and_labels_together(
    server: Server, asked: list[Asked]
) -> None:
    async with browsing() as browser:
        await browser.open(f"{server.url}/")
        find = """return [...document.querySelectorAll(".actions a")]
            .filter((a) => a.innerText.includes("Neuroglancer")).map((a) => a.href)"""
        links = await browser.wait_for(find, lambda links: links and len(links) == 2)
        await browser.open(links[1])
        await browser.wait_for(
            "return 1",
            lambda _: (
                sum("compression=googlegzip" in one.path for one in asked) > 4
                and any("/subvolblocks/" in one.path for one in asked)
            ),
        )
        words = await browser.run("return document.body.innerText")
        assert "Disconnected" not in words
        assert "Error" not in words
        assert {one.status for one in asked if "/seg/" in one.path} == {200}
        await browser.wait_for("return document.body.innerText", lambda words: words and "seg" in words)


@needs_chromium
async def test_neuroglancer_on_board_draws_a_segment_where_it_lies(server: Server) -> None:
    async with browsing() as browser:
        await browser.open(f"{server.url}/")
        find = "return document.querySelectorAll('.actions a')[1]?.href"
        page, state = (await browser.wait_for(find)).split("#!")
        view = json.loads(unquote(state))
        view |= {"position": [130.5, 90.5, 40.5], "crossSectionScale": 0.5, "layout": "xy"}
        chosen = str(HUGE[2])
        view["layers"][1] |= {"segments": [chosen], "segmentColors": {chosen: "#ff0000"}, "selectedAlpha": 1}
        await browser.open(f"{page}#!{quote(json.dumps(view))}")
        panel = """
            const panel = document.querySelector(".neuroglancer-rendered-data-panel");
            const box = panel?.getBoundingClientRect();
            return box && [box.left + box.width / 2, box.top + box.height / 2];"""
        left, top = await browser.wait_for(panel)
        x = np.floor(130.5 + 0.5 * (np.arange(1280) + 0.5 - left)).astype(int)
        expected = np.array([truth((at, 120, 40)) == HUGE[2] for at in x.tolist()])
        assert expected.sum() > 36
        wrong = expected
        async with asyncio.timeout(PATIENCE_S):
            while wrong.sum() > 6:  # Coarser scales are drawn first; a pixel at each edge may be blended.
                pixels = png_decode(b64decode((await browser.command("Page.captureScreenshot"))["data"]))
                line = pixels[int(top) + 60].astype(int)
                wrong = expected != ((line[:, 0] > 200) & (line[:, 1] < 60) & (line[:, 2] < 60))


async def test_overview_describes_a_labelmap(server: Server) -> None:
    em, seg = json.loads(await server.get("/api/server/volumes"))["volumes"]
    assert (em["type"], seg["type"]) == ("uint8blk", "labelmap")
    assert em["companions"] == []
    assert seg["companions"] == [
        {"name": "seg_meshes", "type": "keyvalue"},
        {"name": "seg_annotations", "type": "neuronjson"},
    ]
    assert [scale["name"] for scale in seg["scales"]] == ["seg", "seg"]
    assert [scale["min_point"] for scale in seg["scales"]] == [[20, 10, 5], [10, 5, 2]]
    assert [scale["resolution_nm"] for scale in seg["scales"]] == [[16] * 3, [32] * 3]
