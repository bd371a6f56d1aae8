"""Measure the time from `dvidpc view DIRECTORY` to the first picture in a browser; needs chromium.

Usage: python tools/first_picture.py [DIRECTORY]. Without one, a small volume is written first.
Prints the seconds until the server called the browser, and until the page had drawn a slice.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.browser import browsing
from tests.volumes import VolumeSpec, write_volume
from tests.waiting import soon

PATIENCE_S = 60


async def measure(volume: Path, scratch: Path) -> tuple[float, float]:
    """Return the seconds until the server called the browser, and until a slice was drawn."""
    called = scratch / "called"
    note = scratch / "browser"
    note.write_text(f'#!/bin/sh\necho "$1" > {called}.new && mv {called}.new {called}\n')
    note.chmod(0o755)
    async with browsing() as browser, asyncio.timeout(PATIENCE_S):
        started = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "dvidpc", "view", str(volume), "--port", "0"),
            env={**os.environ, "BROWSER": f"{note} %s"},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await soon(called.exists, 0.01, PATIENCE_S)
            until_called_s = time.monotonic() - started
            await browser.open((await asyncio.to_thread(called.read_text)).strip())
            await browser.wait_for("return document.querySelector('.preview canvas.shown')")
            return until_called_s, time.monotonic() - started
        finally:
            process.terminate()
            await process.wait()


def main(arguments: list[str]) -> None:
    """Measure, and print what was found."""
    with tempfile.TemporaryDirectory() as scratch:
        volume = Path(arguments[0]) if arguments else Path(scratch) / "volume"
        if not arguments:
            write_volume(volume, VolumeSpec(size=(512, 512, 128), encoding="jpeg", scale_levels=3))
        called_s, drawn_s = asyncio.run(measure(volume, Path(scratch)))
    sys.stdout.write(f"browser called after {called_s:.2f} s, slice drawn after {drawn_s:.2f} s\n")


if __name__ == "__main__":
    main(sys.argv[1:])
