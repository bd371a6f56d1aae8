"""The real neuroglancer in a real browser shows what is in the volume."""

import asyncio
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.clients.conftest import Served
from tests.programs import need
from tests.serving import UUID
from tests.volumes import Voxels

PROGRAM = Path(__file__).parent / "neuroglancer_view.py"
CENTRE = (256, 256, 64)
SCALES = (1, 2, 4)


async def show(served: Served, node: str, directory: Path) -> list[str]:
    """Have neuroglancer show the volume at SCALES; what the browser had to say."""
    browser, driver = need("chromium", "chromium"), need("chromedriver", "chromium-driver")
    search = os.pathsep.join(dict.fromkeys([*map(os.path.dirname, (browser, driver)), os.environ["PATH"]]))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROGRAM),
        f"dvid://{served.server.url}/{node}/em",
        str(directory),
        *map(str, (*CENTRE, *SCALES)),
        env={
            **os.environ,
            "PATH": search,
            "SE_OFFLINE": "true",
            "SE_CHROMEDRIVER": driver,
            "DVID_CREDENTIALS": f"{served.server.url}=anything",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(100):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, output.decode()[-3000:]
    said: list[str] = json.loads((directory / "console.json").read_text())
    return said


def seen(truth: Voxels, level: int, scale: int, height: int, width: int) -> Voxels:
    """The pixels [y, x] around CENTRE, one for *scale* voxels, of a scale level; 0 outside."""
    xs, ys = (
        np.floor((middle + (np.arange(n) - n / 2 + 0.5) * scale) / 2**level).astype(int)
        for middle, n in ((CENTRE[0], width), (CENTRE[1], height))
    )
    plane = np.pad(truth[:, :, CENTRE[2] >> level, 0], 1000).T
    picture: Voxels = plane[np.ix_(ys + 1000, xs + 1000)]
    return picture


@pytest.mark.parametrize("node", [UUID, f"{UUID[:6]}:master"])
async def test_three_scales_are_shown_as_they_are(em: Served, tmp_path: Path, node: str) -> None:
    said = await show(em, node, tmp_path)
    assert not [line for line in said if line.startswith(("error", "warn"))]
    for level, scale in enumerate(SCALES):
        pixels = np.load(tmp_path / f"{scale}.npy")
        expected = seen(em.truth[level], level, scale, *pixels.shape[:2])
        difference = np.abs(pixels[..., 0].astype(int) - expected)
        assert difference.mean() < 1, scale
        assert difference.max() < 8, scale
        name = f"em_{level}" if level else "em"
        chunks = [asked for asked in em.asked if f"/{name}/subvolblocks/" in asked.path]
        assert chunks, f"no chunk of scale {level} was asked for"
    assert [asked for asked in em.asked if asked.status not in {200, 204, 304}] == []
