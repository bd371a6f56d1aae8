"""Large images are encoded without delaying other requests."""

import asyncio
from pathlib import Path

import imagecodecs

from tests.cutouts import serving_volume
from tests.volumes import VolumeSpec


async def test_a_large_image_does_not_delay_a_small_one(tmp_path: Path) -> None:
    spec = VolumeSpec(size=(64, 64, 64))
    async with serving_volume(spec, tmp_path) as (server, [truth]):
        large = asyncio.ensure_future(server.get(f"{server.node}/em/raw/xy/5000_4000/0_0_9"))
        small = imagecodecs.png_decode(await server.get(f"{server.node}/em/raw/xy/64_64/0_0_9"))
        image = imagecodecs.png_decode(await large)
        assert image.shape == (4000, 5000)
        assert (image[:64, :64] == small).all()
        assert (small == truth[:, :, 9, 0].T).all()
        assert not image[64:].any()
