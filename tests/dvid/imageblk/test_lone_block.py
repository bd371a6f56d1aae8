"""Boxes that are not made of whole blocks are answered as one block."""

import struct
from pathlib import Path

import numpy as np
import pytest

from tests.blockstream import grey_block, parse_stream
from tests.cutouts import grey_box, joined, serving_volume
from tests.serving import config_text, serving
from tests.volumes import XYZ, VolumeSpec, expected_box, write_volume

ANY_APP: list[tuple[XYZ, XYZ]] = [
    ((128, 128, 16), (0, 0, 32)),
    ((100, 30, 7), (-3, 60, 20)),
    ((1, 1, 1), (9, 9, 9)),
]
NEUROGLANCER_ONLY: list[tuple[XYZ, XYZ]] = [((128, 64, 64), (0, 0, 0)), ((64, 64, 64), (0, 0, 1))]


@pytest.mark.parametrize(
    ("size", "offset", "app"),
    [(*box, "") for box in ANY_APP] + [(*box, "app=Neuroglancer&") for box in ANY_APP + NEUROGLANCER_ONLY],
)
async def test_a_box_that_whole_blocks_do_not_fill_is_answered_as_one_block(
    size: XYZ, offset: XYZ, app: str, tmp_path: Path
) -> None:
    spec = VolumeSpec(encoding="jpeg")
    async with serving_volume(spec, tmp_path) as (server, [truth]):
        expected = expected_box(truth, (0, 0, 0), offset, size)[..., 0]
        path = f"{server.node}/em/subvolblocks/{joined(size)}/{joined(offset)}?{app}"
        [(block, payload)] = parse_stream(await server.get(path))
        assert block == tuple(n // 64 for n in offset)
        assert np.abs(grey_box(payload, size).astype(int) - expected).mean() < 2
        [(_, payload)] = parse_stream(await server.get(f"{path}compression=uncompressed"))
        ours = np.frombuffer(payload, np.uint8).reshape(size[::-1]).transpose(2, 1, 0)
        assert np.abs(ours.astype(int) - expected).max() <= 2


async def test_a_box_of_whole_blocks_is_answered_as_in_dvid(tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(encoding="jpeg"), tmp_path) as (server, _):
        path = f"{server.node}/em/subvolblocks/128_64_64/0_0_0?throttle=on&scale=0&app=lowtis"
        assert [block for block, _ in parse_stream(await server.get(path))] == [(0, 0, 0), (1, 0, 0)]
        stored = (tmp_path / "volume/s0/0-64_0-64_0-64").read_bytes()
        path = f"{server.node}/em/subvolblocks/64_64_64/0_0_0?app=Neuroglancer"
        assert await server.get(path) == struct.pack("<4i", 0, 0, 0, len(stored)) + stored


async def test_neuroglancer_gets_one_block_from_an_instance_with_smaller_blocks(tmp_path: Path) -> None:
    [truth] = write_volume(tmp_path / "volume", VolumeSpec(encoding="jpeg"))
    async with serving(config_text({"em": tmp_path / "volume"}) + "block_size = 32\n", tmp_path) as server:
        path = f"{server.node}/em/subvolblocks/64_64_64/64_0_0"
        assert len(parse_stream(await server.get(path))) == 8
        [(_, payload)] = parse_stream(await server.get(f"{path}?app=Neuroglancer"))
        assert np.abs(grey_block(payload).astype(int) - truth[64:128, :64, :64, 0]).mean() < 2


async def test_a_box_without_stored_chunks_is_absent(tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(holes=((0, 0, 0),)), tmp_path) as (server, _):
        for box in ("30_30_30/0_0_0", "30_30_30/1000_0_0", "128_128_16/-1000_0_0?app=Neuroglancer"):
            assert await server.get(f"{server.node}/em/subvolblocks/{box}") == b""


async def test_a_box_of_uint16_voxels_is_one_block_of_raw_voxels(tmp_path: Path) -> None:
    spec = VolumeSpec(size=(40, 40, 40), data_type="uint16")
    async with serving_volume(spec, tmp_path) as (server, [truth]):
        [(_, payload)] = parse_stream(await server.get(f"{server.node}/em/subvolblocks/30_20_10/1_2_3"))
        expected = expected_box(truth, (0, 0, 0), (1, 2, 3), (30, 20, 10))[..., 0]
        assert (np.frombuffer(payload, "<u2").reshape(10, 20, 30).transpose(2, 1, 0) == expected).all()


async def test_a_box_beyond_max_response_is_refused(tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(), tmp_path, "[limits]\nmax_response = 1000\n") as (server, _):
        status, text = await server.error(f"{server.node}/em/subvolblocks/11_10_10/0_0_0")
        assert status == 413
        assert "max_response" in text
