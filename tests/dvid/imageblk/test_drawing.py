"""Large images are encoded without delaying other requests."""

import asyncio
import time
from pathlib import Path

import imagecodecs

from tests.cutouts import serving_volume
from tests.volumes import VolumeSpec


async def longest_pause_until(done: asyncio.Future[bytes]) -> float:
    """Return the longest time, in seconds, that the event loop was busy before *done*."""
    longest, before = 0.0, time.perf_counter()
    while not done.done():
        await asyncio.sleep(0)
        now = time.perf_counter()
        longest, before = max(longest, now - before), now
    return longest


async def test_a_large_image_does_not_delay_other_requests(tmp_path: Path) -> None:
    spec = VolumeSpec(size=(64, 64, 64))
    async with serving_volume(spec, tmp_path) as (server, [truth]):
        large = asyncio.ensure_future(server.get(f"{server.node}/em/raw/xy/5000_16000/0_0_9"))
        pause = await longest_pause_until(large)
        image = imagecodecs.png_decode(await large)
        assert image.shape == (16_000, 5000)
        assert (image[:64, :64] == truth[:, :, 9, 0].T).all()
        assert not image[64:].any()
    started = time.perf_counter()
    imagecodecs.png_encode(image, level=3)
    encoding = time.perf_counter() - started
    assert pause < encoding / 4, (pause, encoding)
