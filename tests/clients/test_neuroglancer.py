"""The real neuroglancer in a real browser shows the volume's voxels."""

import asyncio
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.clients.conftest import Served
from tests.programs import need
from tests.serving import UUID, Asked, config_text, serving
from tests.volumes import XYZ, VolumeSpec, Voxels, write_volume

PROGRAM = Path(__file__).parent / "neuroglancer_view.py"
CENTRE = (256, 256, 64)
SCALES = (1, 2, 4)


async def show(
    served: Served, node: str, directory: Path, nm: XYZ, centre: XYZ, scales: tuple[int, ...]
) -> list[str]:
    """Show a volume with voxels of *nm* in neuroglancer at *scales*; return the browser's messages."""
    browser, driver = need("chromium", "chromium"), need("chromedriver", "chromium-driver")
    search = os.pathsep.join(dict.fromkeys([*map(os.path.dirname, (browser, driver)), os.environ["PATH"]]))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROGRAM),
        f"dvid://{served.server.url}/{node}/em",
        str(directory),
        *map(str, (*nm, *centre, *scales)),
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


def seen(truth: Voxels, centre: XYZ, level: int, scale: int, height: int, width: int) -> Voxels:
    """Return the pixels `[y, x]` around *centre*, one for each *scale* voxels of a scale level; 0 outside."""
    xs, ys = (
        np.floor((middle + (np.arange(n) - n / 2 + 0.5) * scale) / 2**level).astype(int)
        for middle, n in ((centre[0], width), (centre[1], height))
    )
    plane = np.pad(truth[:, :, centre[2] >> level, 0], 1000).T
    picture: Voxels = plane[np.ix_(ys + 1000, xs + 1000)]
    return picture


@pytest.mark.parametrize("node", [UUID, f"{UUID[:6]}:master"])
async def test_three_scales_are_shown_as_they_are(em: Served, tmp_path: Path, node: str) -> None:
    said = await show(em, node, tmp_path, (8, 8, 8), CENTRE, SCALES)
    assert not [line for line in said if line.startswith(("error", "warn"))]
    for level, scale in enumerate(SCALES):
        pixels = np.load(tmp_path / f"{scale}.npy")
        expected = seen(em.truth[level], CENTRE, level, scale, *pixels.shape[:2])
        difference = np.abs(pixels[..., 0].astype(int) - expected)
        assert difference.mean() < 1, scale
        assert difference.max() < 8, scale
        name = f"em_{level}" if level else "em"
        chunks = [asked for asked in em.asked if f"/{name}/subvolblocks/" in asked.path]
        assert chunks, f"no chunk of scale {level} was asked for"
    assert [asked for asked in em.asked if asked.status not in {200, 204, 304}] == []


async def test_anisotropic_voxels_are_shown_too(tmp_path: Path) -> None:
    """Neuroglancer then requests boxes that are not whole blocks, which DVID refuses."""
    spec = VolumeSpec(size=(256, 256, 40), encoding="jpeg", scale_extras={"resolution": [4, 4, 40]})
    truth = write_volume(tmp_path / "em", spec)
    asked: list[Asked] = []
    text = config_text({"em": tmp_path / "em"})
    async with serving(text, tmp_path, on_answer=asked.append) as server:
        said = await show(Served(server, truth, asked), UUID, tmp_path, (4, 4, 40), (128, 128, 20), (1,))
    assert not [line for line in said if line.startswith(("error", "warn"))]
    assert any("/subvolblocks/128_128_16/" in answer.path for answer in asked)
    pixels = np.load(tmp_path / "1.npy")
    expected = seen(truth[0], (128, 128, 20), 0, 1, *pixels.shape[:2])
    assert np.abs(pixels[..., 0].astype(int) - expected).mean() < 2
