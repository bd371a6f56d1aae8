"""Neuroglancer on board pans back over a region without asking for it again, measured in a real browser.

Its own memory is made so small that it forgets what it does not show.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.browser import Browser, browsing, needs_chromium
from tests.serving import UUID, Asked, Server, config_text, serving
from tests.volumes import VolumeSpec, write_volume
from tests.waiting import soon

SPEC = VolumeSpec(size=(2048, 256, 64), encoding="jpeg")
WIDTH, HEIGHT = 500, 400
MEMORY = 40 * 64**3
"""Room for the chunks of one view, not for those of two."""
GL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")
QUIET_S = 1.0
"""A view is complete when nothing was asked for so long."""


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("volume") / "em"
    write_volume(directory, SPEC)
    return directory


class Panned:
    """A view of the volume, and what the server was asked for its blocks."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.statuses: list[int] = []
        """Of the answers since the last move."""

    def note(self, asked: Asked) -> None:
        """Note an answer of the server."""
        if "/subvolblocks/" in asked.path:
            self.statuses.append(asked.status)

    async def drag(self, pixels: int, times: int) -> list[int]:
        """Drag the view along x; return the statuses of the answers that were asked for since."""
        self.statuses = []
        middle = (WIDTH // 2, HEIGHT // 2)
        for _ in range(times):
            await self._browser.drag(
                (middle[0] - pixels // 2, middle[1]), (middle[0] + pixels // 2, middle[1])
            )
            await self.settle()
        return self.statuses

    async def settle(self) -> None:
        """Wait until the view is complete."""
        seen = -1
        while len(self.statuses) != seen:
            seen = len(self.statuses)
            await asyncio.sleep(QUIET_S)


@asynccontextmanager
async def panning(volume: Path, directory: Path, keys: str) -> AsyncIterator[Panned]:
    """Show the left end of the volume in Neuroglancer, and wait until it is complete."""
    async with browsing(WIDTH, HEIGHT, options=GL) as browser:
        panned = Panned(browser)
        text = config_text({"em": volume}, f"[server]\n{keys}")
        async with serving(text, directory, on_answer=panned.note) as server:
            await browser.open(f"{server.url}/neuroglancer/v/1/#!{quote(state_of(server))}")
            await soon(lambda: len(panned.statuses) >= 10, 0.05, 30)
            await panned.settle()
            assert set(panned.statuses) == {200}
            yield panned


def state_of(server: Server) -> str:
    return json.dumps(
        {
            "dimensions": {axis: [8e-9, "m"] for axis in "xyz"},
            "position": [250, 128, 32],
            "crossSectionScale": 1,
            "layout": "xy",
            "prefetch": False,
            "systemMemoryLimit": MEMORY,
            "gpuMemoryLimit": MEMORY,
            "layers": [{"type": "image", "name": "em", "source": f"dvid://{server.url}/{UUID}/em"}],
        }
    )


@needs_chromium
async def test_panning_back_asks_nothing(volume: Path, tmp_path: Path) -> None:
    async with panning(volume, tmp_path, "") as panned:
        away = await panned.drag(-300, 4)
        assert len(away) > 10
        assert set(away) == {200}
        assert await panned.drag(300, 4) == []


@needs_chromium
async def test_panning_back_later_asks_whether_anything_changed(volume: Path, tmp_path: Path) -> None:
    """This also shows that the view above was not in Neuroglancer's own memory."""
    async with panning(volume, tmp_path, "max_age = 2\nstale_while_revalidate = 2") as panned:
        assert len(await panned.drag(-300, 4)) > 10
        await asyncio.sleep(4)
        back = await panned.drag(300, 4)
        assert len(back) > 10
        assert set(back) == {304}
