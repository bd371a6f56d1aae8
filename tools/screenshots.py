"""Take the screenshots in docs/ with `make screenshots`. Needs chromium and chromium-driver."""

import asyncio
import base64
import os
import sys
import tempfile
from pathlib import Path
from typing import Literal

from dvidpc.demo import demo_directory, ensure_demo_volume
from tests.browser import Browser, browsing
from tests.serving import serving

DOCS = Path(__file__).parents[1] / "docs"
CONFIG = """
[server]
host = "dvid.example.org"
[repo]
uuid = "28841c8277e044a7b187dda03e18da13"
alias = "Demo"
description = "Made-up nervous tissue, as if imaged by an electron microscope at 8 nm"
[store.demo]
engine = "ngprecomputed"
ref = "{ref}"
instance = "em"
[store.neurites]
engine = "ngprecomputed"
ref = "{ref}/segmentation"
instance = "segmentation"
[store.synapses]
engine = "ngprecomputed"
ref = "{ref}/synapses"
instance = "synapses"
"""


async def main() -> None:
    """Serve the demo volumes and take all screenshots of them."""
    volume = demo_directory(os.environ)
    ensure_demo_volume(volume, sys.stderr)
    with tempfile.TemporaryDirectory() as scratch:
        async with serving(CONFIG.format(ref=volume.as_uri()), Path(scratch)) as server:
            for width, height, theme in ((1280, 800, "light"), (1280, 800, "dark"), (390, 844, "light")):
                await take(server.url, width, height, "dark" if theme == "dark" else "light")


async def take(url: str, width: int, height: int, theme: Literal["light", "dark"]) -> None:
    """Take a screenshot of the page and, in the light theme, one of the viewer."""
    async with browsing(width, height, theme) as browser:
        await browser.open(f"{url}/")
        await browser.wait_for("return document.querySelectorAll('.preview canvas.shown').length === 2")
        await browser.run(
            "for (const where of document.querySelectorAll('.where'))"
            "  where.textContent = where.textContent.replace(/.*demo-v\\d+/, 'file:///data/demo')"
        )
        await asyncio.sleep(0.5)  # The preview fades in.
        whole = await browser.run("return document.documentElement.scrollHeight")
        await save(browser, f"page-{width}-{theme}.png", width, whole)
        if theme == "dark":
            return  # The viewer looks the same in both themes.
        await browser.open(f"{url}/#em")
        await browser.wait_for(
            "return document.getElementById('canvas').dataset.state", lambda state: state == "ready"
        )
        await browser.run("document.activeElement.blur()")
        await save(browser, f"viewer-{width}-{theme}.png", width, height)


async def save(browser: Browser, name: str, width: int, height: int) -> None:
    """Save the top of the page, *width* x *height* pixels, even where the window is smaller."""
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    taken = await browser.command("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
    (DOCS / name).write_bytes(base64.b64decode(taken["data"]))


if __name__ == "__main__":
    asyncio.run(main())
