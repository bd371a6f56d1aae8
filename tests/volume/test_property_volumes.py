"""Random volumes of every kind over HTTP: every block contains what another library reads.

`DVIDPC_DRAWS=5000` draws 5,000 volumes (`make property`); the default is enough for every push.
"""

import asyncio
import itertools
import random
import tempfile
from pathlib import Path

import numpy as np

from tests.blockstream import grey_block, parse_stream
from tests.drawing import drawing
from tests.drawn import XYZ, DrawnVolume, Truth, drawn_volumes, write
from tests.encoders import Voxels
from tests.serving import Server, config_text, serving
from tests.volumes import expected_box


@drawing(drawn_volumes(), default=240, together=8)
def test_every_block_of_any_volume_is_right(volumes: list[DrawnVolume], memory: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(check_all(volumes, Path(name), memory))


async def check_all(volumes: list[DrawnVolume], directory: Path, memory: str) -> None:
    truths = [write(volume, directory / str(n) / "volume") for n, volume in enumerate(volumes)]
    sections = [f'[cache]\nmemory = "{memory}"\n']
    for n, volume in enumerate(volumes):
        size = f'"{volume.block_size}"' if volume.block_size == "chunk" else volume.block_size
        sections.append(
            f'[store.v{n}]\nengine = "ngprecomputed"\ninstance = "v{n}"\n'
            f'ref = "file://{directory}/{n}/volume"\nblock_size = {size}\n'
        )
    async with serving(config_text({}, "\n".join(sections)), directory) as server:
        for n, (volume, truth) in enumerate(zip(volumes, truths, strict=True)):
            await check_volume(server, f"v{n}", volume, truth)


async def check_volume(server: Server, name: str, volume: DrawnVolume, truth: Truth) -> None:
    """Every block that the volume touches, and a ring around them, in every instance."""
    blocks = blocks_around(volume)
    is_colour = volume.data_type == "uint8" and volume.num_channels in (3, 4)
    side = volume.block_side
    box = (side, side, side)
    known = {
        block: expected_box(truth.known[..., None], volume.offset, start_of(block, side), box)
        for block in blocks
    }
    stored = [block for block in blocks if known[block].any()]
    for channel in range(1 if is_colour else volume.num_channels):
        instance = f"{name}_c{channel}" if channel else name
        if not is_colour:
            await check_box(server, instance, volume, truth, channel)
        for compression in ("uncompressed", "jpeg"):
            if compression == "jpeg" and (is_colour or volume.data_type != "uint8"):
                continue
            query = ",".join(str(number) for block in blocks for number in block)
            path = f"{server.node}/{instance}/specificblocks?blocks={query}&compression={compression}"
            frames = parse_stream(await server.get(path))
            assert [block for block, _ in frames] == stored, volume
            for block, payload in frames:
                expected = expected_box(truth.voxels, volume.offset, start_of(block, side), box)
                values = with_alpha(expected) if is_colour else expected[..., [channel]]
                assert_right(payload, values, compression, truth.tolerance, (volume, block))


def blocks_around(volume: DrawnVolume) -> list[XYZ]:
    side = volume.block_side
    xs, ys, zs = (
        range(o // side - 1, (o + n - 1) // side + 2) for o, n in zip(volume.offset, volume.size, strict=True)
    )
    return list(itertools.product(xs, ys, zs))


def start_of(block: XYZ, side: int) -> XYZ:
    return block[0] * side, block[1] * side, block[2] * side


def with_alpha(colours: Voxels) -> Voxels:
    """Opaque, if no alpha is stored."""
    if colours.shape[3] == 4:
        return colours
    return np.concatenate([colours, np.full_like(colours[..., :1], 255)], axis=3)


async def check_box(server: Server, instance: str, volume: DrawnVolume, truth: Truth, channel: int) -> None:
    """A box of any size and place is right, its edges beyond the volume's included."""
    drawn = random.Random(volume.seed)
    start = [o + drawn.randint(-9, n - 1) for o, n in zip(volume.offset, volume.size, strict=True)]
    size = [drawn.randint(1, 40) for _ in range(3)]
    box = (start[0], start[1], start[2]), (size[0], size[1], size[2])
    expected = expected_box(truth.voxels, volume.offset, *box)[..., [channel]]
    extent, place = ("_".join(map(str, numbers)) for numbers in (size, start))
    body = await server.get(f"{server.node}/{instance}/raw/0_1_2/{extent}/{place}")
    ours = np.frombuffer(body, expected.dtype.newbyteorder("<")).reshape(size[::-1]).T[..., None]
    assert np.abs(ours.astype(float) - expected.astype(float)).max() <= truth.tolerance, (volume, box)


def assert_right(payload: bytes, expected: Voxels, compression: str, tolerance: float, where: object) -> None:
    side = expected.shape[0]
    if compression == "jpeg":
        grey = grey_block(payload, side)
        assert np.abs(grey.astype(int) - expected[..., 0].astype(int)).mean() < 8, where
        return
    dtype = expected.dtype.newbyteorder("<")
    ours = np.frombuffer(payload, dtype).reshape(side, side, side, -1).transpose(2, 1, 0, 3)
    assert ours.shape == expected.shape, where
    assert np.abs(ours.astype(float) - expected.astype(float)).max() <= tolerance, where
    if not tolerance:
        assert (ours == expected).all(), where
