"""Wide voxels are shown as 8 bits through a window, exactly; and as they are, on request."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.array_stores import cut, store_section
from tests.blockstream import grey_block, parse_stream, raw_block
from tests.drawn_arrays import DrawnArray, Voxels, write_array
from tests.serving import Server, config_text, serving
from tests.volumes import VolumeSpec, write_volume


def shown(voxels: Voxels, low: float, high: float) -> Voxels:
    scaled = np.rint(np.clip((voxels.astype(float) - low) * 255 / (high - low), 0, 255))
    return np.nan_to_num(scaled, nan=0).astype(np.uint8)


async def instances_of(server: Server) -> dict[str, str]:
    repos = json.loads(await server.get("/api/repos/info"))
    [repo] = repos.values()
    return {name: one["Base"]["TypeName"] for name, one in repo["DataInstances"].items()}


@pytest.mark.parametrize(
    ("data_type", "window"),
    [("uint16", (10, 80)), ("int16", (-5, 60)), ("float32", (0.5, 77.25)), ("uint32", (3, 99))],
)
async def test_voxels_are_scaled_and_clipped(
    tmp_path: Path, data_type: str, window: tuple[float, float]
) -> None:
    drawn = DrawnArray("zarr2", "zarr", data_type, "zyx", (40, 100, 70), (32, 32, 32), "zstd", seed=8)
    voxels = write_array(drawn, tmp_path / "a").zyx()
    keys = {"window": str(list(window)), "full": "true"}
    section = store_section("em", f"file://{tmp_path}/a", keys)
    async with serving(config_text({}, section), tmp_path) as server:
        wide = {"int16": "uint16blk"}.get(data_type, f"{data_type}blk")
        assert await instances_of(server) == {"em": "uint8blk", "em_full": wide}
        body = await server.get(f"{server.node}/em/raw/0_1_2/80_110_50/-5_-5_-5")
        expected = cut(shown(voxels, *window), (0, 0, 0), (-5, -5, -5), (80, 110, 50))
        assert (np.frombuffer(body, "u1").reshape(50, 110, 80) == expected).all()
        full = await server.get(f"{server.node}/em_full/raw/0_1_2/70_100_40/0_0_0")
        assert (np.frombuffer(full, voxels.dtype.newbyteorder("<")).reshape(voxels.shape) == voxels).all()
        query = "blocks=0,0,0,1,1,0&compression=uncompressed"
        for block, payload in parse_stream(await server.get(f"{server.node}/em/specificblocks?{query}")):
            start = 64 * block[0], 64 * block[1], 64 * block[2]
            right = cut(shown(voxels, *window), (0, 0, 0), start, (64, 64, 64))
            assert (right == raw_block(payload).T).all()
        [(_, payload)] = parse_stream(await server.get(f"{server.node}/em/specificblocks?blocks=0,0,0"))
        right = cut(shown(voxels, *window), (0, 0, 0), (0, 0, 0), (64, 64, 64))
        assert np.abs(grey_block(payload).T.astype(int) - right.astype(int)).mean() < 8


async def test_precomputed_volumes_have_windows_too(tmp_path: Path) -> None:
    spec = VolumeSpec(data_type="uint16", num_channels=2, scale_levels=2, encoding="raw")
    [truth, _] = write_volume(tmp_path / "em", spec)
    keys = "window = [100, 40000]\nfull = true\n"
    section = f'[store.em]\nengine = "ngprecomputed"\ninstance = "em"\nref = "file://{tmp_path}/em"\n{keys}'
    async with serving(config_text({}, section), tmp_path) as server:
        names = await instances_of(server)
        assert names == {
            **{f"em{channel}{level}": "uint8blk" for channel in ("", "_c1") for level in ("", "_1")},
            **{f"em_full{channel}{level}": "uint16blk" for channel in ("", "_c1") for level in ("", "_1")},
        }
        for channel, name in enumerate(("em", "em_c1")):
            body = await server.get(f"{server.node}/{name}/raw/0_1_2/150_130_100/0_0_0")
            voxels = truth[..., channel].transpose(2, 1, 0)
            assert (np.frombuffer(body, "u1").reshape(100, 130, 150) == shown(voxels, 100, 40000)).all()
        said = json.loads(await server.get(f"{server.node}/em_full_c1_1/info"))
        assert said["Extended"]["Values"] == [{"DataType": "uint16", "Label": "uint16"}]


async def test_fill_is_shown_through_the_window(tmp_path: Path) -> None:
    drawn = DrawnArray(
        "zarr2", "zarr", "int16", "zyx", (64, 64, 128), (64, 64, 64), "zstd", holes=frozenset({0})
    )
    voxels = write_array(drawn, tmp_path / "a").zyx()
    section = store_section("em", f"file://{tmp_path}/a", {"window": "[-100, 100]"})
    async with serving(config_text({}, section), tmp_path) as server:
        query = "blocks=0,0,0,1,0,0,2,0,0&compression=uncompressed"
        sent = dict(parse_stream(await server.get(f"{server.node}/em/specificblocks?{query}")))
        assert set(sent) == {(0, 0, 0), (1, 0, 0)}
        assert (raw_block(sent[0, 0, 0]) == 128).all()
        assert (shown(voxels[:, :, 64:], -100, 100) == raw_block(sent[1, 0, 0]).T).all()
        info = json.loads(await server.get(f"{server.node}/em/info"))
        assert info["Extended"]["Background"] == 128


async def test_levels_of_both_views_are_found_by_tiles(tmp_path: Path) -> None:
    write_volume(tmp_path / "em", VolumeSpec(data_type="uint16", scale_levels=2))
    keys = "window = [0, 65535]\nfull = true\n"
    section = f'[store.em]\nengine = "ngprecomputed"\ninstance = "em"\nref = "file://{tmp_path}/em"\n{keys}'
    async with serving(config_text({}, section), tmp_path) as server:
        for level in (0, 1):
            assert await server.get(f"{server.node}/em/tile/xy/{level}/0_0_0")
