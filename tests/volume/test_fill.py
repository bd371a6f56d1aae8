"""Missing chunks of an array hold its fill value: it is sent where it is not 0, and 0 outside."""

import json
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import simplejpeg

from tests.array_stores import cut, store_section
from tests.blockstream import parse_stream, raw_block
from tests.drawn_arrays import DrawnArray, write_array
from tests.serving import Server, config_text, serving

WHITE = DrawnArray(
    "zarr2",
    "zarr",
    "uint8",
    "zyx",
    (100, 150, 200),
    (64, 64, 64),
    "zstd",
    fill=255,
    holes=frozenset({0, 1, 2, 3, 5, 9, 23}),
    offset=(-7, 0, 64),
    seed=1,
)


PLANE = ((-7, 10, 64), (193, 10, 64), (-7, 10, 164))
"""Its corners in voxels: top left, top right, bottom left."""


async def blocks_of(server: Server, name: str, compression: str = "uncompressed") -> dict[object, bytes]:
    query = ",".join(f"{x},{y},{z}" for z in range(4) for y in range(-1, 4) for x in range(-2, 5))
    path = f"{server.node}/{name}/specificblocks?blocks={query}&compression={compression}"
    return dict(parse_stream(await server.get(path)))


@pytest.mark.parametrize("block_size", [64, 32, 100])
@pytest.mark.parametrize("offset", [(0, 0, 64), (-7, 0, 64)])
async def test_blocks_hold_the_fill_inside_and_zeros_outside(
    tmp_path: Path, block_size: int, offset: tuple[int, int, int]
) -> None:
    drawn = DrawnArray(**{**WHITE.__dict__, "offset": offset})
    written = write_array(drawn, tmp_path / "white")
    voxels = written.zyx()
    assert (voxels[:64, :64, :64] == 255).all()
    assert not (tmp_path / "white" / "0" / "0" / "0").exists()
    section = store_section("em", f"file://{tmp_path}/white", {"block_size": str(block_size)})
    async with serving(config_text({}, section), tmp_path) as server:
        sent = await blocks_of(server, "em")
        for z in range(4):
            for y in range(-1, 4):
                for x in range(-2, 5):
                    start = block_size * x, block_size * y, block_size * z
                    expected = cut(voxels, offset, start, (block_size,) * 3)
                    found = sent.get((x, y, z))
                    assert (found is None) == (not expected.any()), (x, y, z)
                    if found is not None:
                        assert (expected == raw_block(found, side=block_size).T).all(), (x, y, z)


async def test_cut_outs_and_planes_hold_the_fill(tmp_path: Path) -> None:
    voxels = write_array(WHITE, tmp_path / "white").zyx()
    section = store_section("em", f"file://{tmp_path}/white", {})
    async with serving(config_text({}, section), tmp_path) as server:
        node = f"{server.node}/em"
        body = await server.get(f"{node}/raw/0_1_2/220_170_120/-20_-10_50")
        expected = cut(voxels, (-7, 0, 64), (-20, -10, 50), (220, 170, 120))
        assert (np.frombuffer(body, "u1").reshape(120, 170, 220) == expected).all()
        corners = "/".join("_".join(str(8 * at) for at in one) for one in PLANE)
        image = await server.get(f"{node}/arb/{corners}/8.0/png")
        pixels = imagecodecs.png_decode(image)
        flat = cut(voxels, (-7, 0, 64), (-7, 10, 64), (200, 1, 100))[:, 0]
        assert (np.abs(pixels[:100, :200].astype(int) - flat[: len(pixels), : pixels.shape[1]]) <= 1).all()
        assert (pixels == 255).any()
        info = json.loads(await server.get(f"{node}/info"))
        assert info["Extended"]["Background"] == 255


async def test_one_block_of_fill_is_encoded_once(tmp_path: Path) -> None:
    drawn = DrawnArray(**{**WHITE.__dict__, "shape": (256, 256, 256), "holes": frozenset(range(64))})
    drawn = DrawnArray(**{**drawn.__dict__, "offset": (0, 0, 0)})
    write_array(drawn, tmp_path / "white")
    section = store_section("em", f"file://{tmp_path}/white", {})
    async with serving(config_text({}, section), tmp_path) as server:
        frames = parse_stream(await server.get(f"{server.node}/em/subvolblocks/256_256_256/0_0_0"))
        assert len(frames) == 64
        [payload] = {payload for _, payload in frames}
        assert (simplejpeg.decode_jpeg(payload, colorspace="GRAY") == 255).all()


async def test_labels_of_missing_chunks_are_the_fill_value(tmp_path: Path) -> None:
    drawn = DrawnArray(
        "zarr3",
        "tensorstore",
        "uint64",
        "zyx",
        (70, 70, 70),
        (32, 32, 32),
        "zstd",
        fill=2**64 - 1,
        holes=frozenset({0, 13}),
    )
    voxels = write_array(drawn, tmp_path / "labels").zyx()
    section = store_section("seg", f"file://{tmp_path}/labels", {"type": '"segmentation"'})
    async with serving(config_text({}, section), tmp_path) as server:
        answer = json.loads(await server.get(f"{server.node}/seg/label/3_4_5"))
        assert answer == {"Label": 2**64 - 1}
        assert json.loads(await server.get(f"{server.node}/seg/label/-1_4_5")) == {"Label": 0}
        body = await server.get(f"{server.node}/seg/raw/0_1_2/80_80_80/-5_-5_-5")
        expected = cut(voxels, (0, 0, 0), (-5, -5, -5), (80, 80, 80))
        assert (np.frombuffer(body, "<u8").reshape(80, 80, 80) == expected).all()


async def test_fill_of_zero_is_left_out(tmp_path: Path) -> None:
    drawn = DrawnArray(**{**WHITE.__dict__, "fill": 0, "offset": (0, 0, 0)})
    voxels = write_array(drawn, tmp_path / "black").zyx()
    section = store_section("em", f"file://{tmp_path}/black", {})
    async with serving(config_text({}, section), tmp_path) as server:
        sent = await blocks_of(server, "em")
        assert (0, 0, 0) not in sent
        assert len(sent) == sum(
            voxels[64 * z : 64 * z + 64, 64 * y : 64 * y + 64, 64 * x : 64 * x + 64].any()
            for z in range(2)
            for y in range(3)
            for x in range(4)
        )
