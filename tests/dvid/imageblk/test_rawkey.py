"""`rawkey`, and boxes that are answered as one block."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import simplejpeg

from tests.blockstream import grey_block, parse_stream
from tests.serving import config_text, serving
from tests.volume.test_cutouts import joined, serving_volume
from tests.volumes import XYZ, VolumeSpec, Voxels, expected_box, sharding, write_volume

ANY_APP: list[tuple[XYZ, XYZ]] = [
    ((128, 128, 16), (0, 0, 32)),
    ((100, 30, 7), (-3, 60, 20)),
    ((1, 1, 1), (9, 9, 9)),
]
NEUROGLANCER_ONLY: list[tuple[XYZ, XYZ]] = [((128, 64, 64), (0, 0, 0)), ((64, 64, 64), (0, 0, 1))]


def grey_box(payload: bytes, size: XYZ) -> Voxels:
    pixels: Voxels = simplejpeg.decode_jpeg(payload, colorspace="GRAY")
    assert pixels.shape[2] == 1
    return pixels.reshape(size[::-1]).transpose(2, 1, 0)


@pytest.mark.parametrize(
    ("size", "offset", "app"),
    [(*box, "") for box in ANY_APP] + [(*box, "app=Neuroglancer&") for box in ANY_APP + NEUROGLANCER_ONLY],
)
async def test_a_box_no_blocks_make_up_is_answered_as_one(
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


async def test_a_box_of_whole_blocks_stays_what_it_is_in_dvid(tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(encoding="jpeg"), tmp_path) as (server, _):
        path = f"{server.node}/em/subvolblocks/128_64_64/0_0_0?throttle=on&scale=0&app=lowtis"
        assert [block for block, _ in parse_stream(await server.get(path))] == [(0, 0, 0), (1, 0, 0)]
        stored = (tmp_path / "volume/s0/0-64_0-64_0-64").read_bytes()
        path = f"{server.node}/em/subvolblocks/64_64_64/0_0_0?app=Neuroglancer"
        assert await server.get(path) == struct.pack("<4i", 0, 0, 0, len(stored)) + stored


async def test_neuroglancer_gets_its_64_cubed_of_other_blocks_too(tmp_path: Path) -> None:
    [truth] = write_volume(tmp_path / "volume", VolumeSpec(encoding="jpeg"))
    async with serving(config_text({"em": tmp_path / "volume"}) + "block_size = 32\n", tmp_path) as server:
        path = f"{server.node}/em/subvolblocks/64_64_64/64_0_0"
        assert len(parse_stream(await server.get(path))) == 8
        [(_, payload)] = parse_stream(await server.get(f"{path}?app=Neuroglancer"))
        assert np.abs(grey_block(payload).astype(int) - truth[64:128, :64, :64, 0]).mean() < 2


async def test_a_box_that_nothing_stored_touches_is_absent(tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(holes=((0, 0, 0),)), tmp_path) as (server, _):
        for box in ("30_30_30/0_0_0", "30_30_30/1000_0_0", "128_128_16/-1000_0_0?app=Neuroglancer"):
            assert await server.get(f"{server.node}/em/subvolblocks/{box}") == b""


async def test_a_box_of_voxels_that_are_no_grey_is_one_block_of_raw_voxels(tmp_path: Path) -> None:
    spec = VolumeSpec(size=(40, 40, 40), data_type="uint16")
    async with serving_volume(spec, tmp_path) as (server, [truth]):
        [(_, payload)] = parse_stream(await server.get(f"{server.node}/em/subvolblocks/30_20_10/1_2_3"))
        expected = expected_box(truth, (0, 0, 0), (1, 2, 3), (30, 20, 10))[..., 0]
        assert (np.frombuffer(payload, "<u2").reshape(10, 20, 30).transpose(2, 1, 0) == expected).all()


async def test_a_box_too_large_to_hold_is_refused(tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(), tmp_path, "[limits]\nmax_response = 1000\n") as (server, _):
        status, text = await server.error(f"{server.node}/em/subvolblocks/11_10_10/0_0_0")
        assert status == 413
        assert "max_response" in text


@pytest.mark.parametrize(
    "spec",
    [
        VolumeSpec(encoding="jpeg"),
        VolumeSpec(encoding="jpeg", sharding=sharding()),
        VolumeSpec(chunk_size=(40, 50, 30), offset=(-10, 3, 7), sharding=sharding()),
    ],
)
async def test_rawkey_names_object_and_bytes_of_every_chunk_of_a_block(
    spec: VolumeSpec, tmp_path: Path
) -> None:
    async with serving_volume(spec, tmp_path) as (server, [truth]):
        found = json.loads(await server.get(f"{server.node}/em/rawkey?x=1&y=0&z=0"))
        assert found["Block"] == [1, 0, 0]
        covered = np.zeros(64**3, bool).reshape(64, 64, 64)
        for chunk in found["Chunks"]:
            data = Path(chunk["Object"].removeprefix("file://")).read_bytes()
            if chunk["Size"] is not None:
                data = data[chunk["Offset"] :][: chunk["Size"]]
            start, stop = chunk["MinPoint"], [last + 1 for last in chunk["MaxPoint"]]
            size = (stop[0] - start[0], stop[1] - start[1], stop[2] - start[2])
            ours = grey_box(data, size) if spec.encoding == "jpeg" else np.frombuffer(data, np.uint8)
            expected = expected_box(truth, spec.offset, (start[0], start[1], start[2]), size)[..., 0]
            assert np.abs(ours.reshape(size, order="F").astype(int) - expected).max() <= 2
            covered[
                tuple(slice(max(a - b, 0), c - b) for a, b, c in zip(start, (64, 0, 0), stop, strict=True))
            ] = True
        assert covered[
            : spec.size[0] + spec.offset[0] - 64, max(0, spec.offset[1]) :, max(0, spec.offset[2]) :
        ].all()


async def test_rawkey_leaves_out_what_a_shard_does_not_hold(tmp_path: Path) -> None:
    spec = VolumeSpec(sharding=sharding(), holes=((0, 0, 0),))
    async with serving_volume(spec, tmp_path) as (server, _):
        for block in ("x=0&y=0&z=0", "x=-1&y=0&z=0", "x=9&y=0&z=0"):
            assert json.loads(await server.get(f"{server.node}/em/rawkey?{block}"))["Chunks"] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("rawkey", 'strconv.Atoi: parsing "": invalid syntax'),
        ("rawkey?x=0&y=0&z=a", 'strconv.Atoi: parsing "a": invalid syntax'),
        ("rawkey/1?x=0&y=0&z=0", "rawkey endpoint should be followed by query strings (x, y, and z)"),
    ],
)
async def test_rawkey_of_no_block_is_refused(path: str, text: str, tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(size=(20, 20, 20)), tmp_path) as (server, _):
        status, body = await server.error(f"{server.node}/em/{path}")
        assert status == 400
        assert body.startswith(text)


async def test_block_endpoints_answer_for_a_coarser_scale(tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(scale_levels=3), tmp_path) as (server, _):
        for path in ("specificblocks?blocks=0,0,0&", "subvolblocks/64_64_64/0_0_0?", "blocks/0_0_0/1?"):
            one, other = f"{server.node}/em/{path}scale=2", f"{server.node}/em_1/{path}scale=1"
            expected = await server.get(f"{server.node}/em_2/{path}scale=0")
            assert expected
            assert await server.get(one) == await server.get(other) == expected


@pytest.mark.parametrize("endpoint", ["raw/vol/8_8_8/0_0_0", "extents", "resolution", "tile/xy/0/0_0_0"])
async def test_nothing_can_be_written(endpoint: str, tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(size=(20, 20, 20)), tmp_path) as (server, _):
        path = f"{server.node}/em/{endpoint}"
        async with server.session.post(f"{server.url}{path}", data=b"[]") as response:
            assert response.status == 400
            text = f'Data "em" uses an immutable GridStore so cannot received POSTs ({path}).\n'
            assert await response.text() == text
