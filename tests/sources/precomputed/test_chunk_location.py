"""Chunk locations: several copies, keys that leave the directory, redirects; how often chunks are read."""

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

from dvidpc.formats.grid import Grid
from dvidpc.types import Point
from tests.blockstream import parse_stream, raw_block
from tests.servers import serve, serve_directory
from tests.serving import config_text, serving
from tests.volume.test_main_job import assert_right
from tests.volumes import VolumeSpec, expected_box, write_volume


def rewrite_info(directory: Path, **changes: Any) -> None:  # noqa: ANN401 - JSON
    info = json.loads((directory / "info").read_text())
    info["scales"][0] |= changes
    (directory / "info").write_text(json.dumps(info))


@pytest.mark.parametrize("key", ["a/b", "../elsewhere", "./s0", "s0/", "a/../s0"])
@pytest.mark.parametrize("kind", ["file", "http"])
async def test_a_key_is_resolved(key: str, kind: str, tmp_path: Path) -> None:
    spec = VolumeSpec(holes=((0, 0, 0),))
    volume = tmp_path / "bucket" / "volume"
    truth = write_volume(volume, spec)
    rewrite_info(volume, key=key)
    target = (volume / key).resolve()
    if target.name != "s0":
        target.parent.mkdir(exist_ok=True)
        shutil.move(volume / "s0", target)
    async with serve(serve_directory(tmp_path / "bucket")) as web:
        ref = volume if kind == "file" else f"{web.url}/volume"
        async with serving(config_text({"em": ref}), tmp_path) as server:
            await assert_right(server, "em", spec, truth[0])


@pytest.mark.parametrize(
    ("key", "more"), [("../../outside", ""), ("../x", 'root = "{volume}"'), ("../../../../etc", "")]
)
async def test_a_key_that_leads_outside_is_refused(
    key: str, more: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    volume = tmp_path / "bucket" / "volume"
    write_volume(volume, VolumeSpec(scale_levels=2))
    rewrite_info(volume, key=key)
    store = f'[store.em]\nengine = "ngprecomputed"\nref = "{volume}"\ninstance = "em"\n'
    async with serving(config_text({}, store + more.format(volume=volume)), tmp_path) as server:
        assert (await server.error(f"{server.node}/em/info"))[0] == 400
        assert json.loads(await server.get(f"{server.node}/em_1/info"))["Base"]["Name"] == "em_1"
    assert f"scale 0 is not served: key '{key}' leads out of the bucket or root" in caplog.text


async def test_a_redirect_is_followed(tmp_path: Path) -> None:
    spec = VolumeSpec()
    truth = write_volume(tmp_path / "bucket" / "real", spec)
    async with serve(serve_directory(tmp_path / "bucket")) as web:
        hops = {"volume": "../one", "one": f"precomputed://{web.url}/two/", "two": f"{web.url}/real"}
        for name, target in hops.items():
            (tmp_path / "bucket" / name).mkdir()
            (tmp_path / "bucket" / name / "info").write_text(json.dumps({"redirect": target}))
        async with serving(config_text({"em": f"{web.url}/volume"}), tmp_path) as server:
            await assert_right(server, "em", spec, truth[0])


@pytest.mark.parametrize(
    ("redirects", "reason"),
    [
        ({"volume": "../one", "one": "../volume"}, "leads in a circle"),
        ({"volume": "."}, "leads in a circle"),
        ({"volume": "../../x"}, "leads out of the bucket or root"),
        ({"volume": "https://example.org/volume"}, "leads out of the bucket or root"),
        ({"volume": "s3://bucket/volume"}, "leads out of the bucket or root"),
        ({"volume": "file:///etc"}, "leads out of the bucket or root"),
        (
            {"volume": "../0", **{f"{n}": f"../{n + 1}" for n in range(12)}},
            "is one of more than 10",
        ),
    ],
)
async def test_a_redirect_that_leads_nowhere_is_refused(
    redirects: dict[str, str], reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name, target in redirects.items():
        (tmp_path / "bucket" / name).mkdir(parents=True)
        (tmp_path / "bucket" / name / "info").write_text(json.dumps({"redirect": target}))
    write_volume(tmp_path / "good", VolumeSpec())
    stores = {"em": tmp_path / "bucket" / "volume", "good": tmp_path / "good"}
    async with serving(config_text(stores), tmp_path) as server:
        await server.get(f"{server.node}/good/info")
        assert (await server.error(f"{server.node}/em/info"))[0] == 400
    assert reason in caplog.text


@pytest.mark.parametrize(
    ("chunk_size", "offset", "reads"),
    [
        ((64, 64, 64), (0, 0, 0), 1),
        ((64, 64, 64), (64, -64, 640), 1),
        ((64, 64, 64), (1, 0, 0), 2),
        ((128, 128, 16), (0, 0, 0), 4),
        ((256, 256, 32), (0, 0, 0), 2),
        ((128, 64, 64), (32, 0, 0), 1.5),
        ((1000, 2000, 5000), (3, 7, 1), 1),
        ((16, 16, 16), (8, 0, 0), 5 * 4 * 4),
    ],
)
def test_how_many_chunks_a_block_needs(
    chunk_size: tuple[int, int, int], offset: tuple[int, int, int], reads: float
) -> None:
    grid = Grid(Point(1000, 1000, 1000), Point(*offset), Point(*chunk_size))
    assert grid.reads_per_block(Point(64, 64, 64)) == reads


def write_two_copies(tmp_path: Path) -> tuple[VolumeSpec, Any]:
    """A volume whose first copy has plates, and whose second has cubes as large as blocks."""
    spec = VolumeSpec(chunk_size=(130, 130, 10))
    truth = write_volume(tmp_path / "em", spec)
    cubes = VolumeSpec(chunk_size=(64, 64, 64))
    assert (write_volume(tmp_path / "cubes", cubes)[0] == truth[0]).all()
    shutil.copytree(tmp_path / "cubes" / "s0", tmp_path / "em" / "s0", dirs_exist_ok=True)
    rewrite_info(tmp_path / "em", chunk_sizes=[[130, 130, 10], [64, 64, 64]])
    return spec, truth[0]


async def test_the_copy_that_needs_the_fewest_reads_is_read(tmp_path: Path) -> None:
    spec, truth = write_two_copies(tmp_path)
    async with (
        serve(serve_directory(tmp_path)) as web,
        serving(config_text({"em": f"{web.url}/em"}), tmp_path) as server,
    ):
        await assert_right(server, "em", spec, truth)
        asked = [request.path.rpartition("/")[2] for request in web.asked]
    assert len(set(asked)) == 1 + 3 * 3 * 2
    assert "0-64_0-64_0-64" in asked


def is_plate(name: str) -> bool:
    """Whether a chunk is of the copy in plates; its thickness is 10."""
    start, stop = name.rpartition("_")[2].split("-")
    return int(stop) - int(start) == 10


@pytest.mark.parametrize("plates", [True, False])
async def test_a_copy_that_is_not_there_is_not_zeros(plates: bool, tmp_path: Path) -> None:  # noqa: FBT001
    spec, truth = write_two_copies(tmp_path)
    for file in (tmp_path / "em" / "s0").iterdir():
        if is_plate(file.name) == plates:
            file.unlink()
    async with serving(config_text({"em": tmp_path / "em"}), tmp_path) as server:
        await assert_right(server, "em", spec, truth)


async def test_a_hole_in_one_copy_is_filled_from_the_other(tmp_path: Path) -> None:
    _, truth = write_two_copies(tmp_path)
    for name in ("0-64_0-64_0-64", "0-130_0-130_0-10"):
        (tmp_path / "em" / "s0" / name).unlink()
    async with serving(config_text({"em": tmp_path / "em"}), tmp_path) as server:
        body = await server.get(f"{server.node}/em/specificblocks?blocks=0,0,0&compression=uncompressed")
    ((_, payload),) = parse_stream(body)
    expected = truth[:64, :64, :64, 0].copy()
    expected[:, :, :10] = 0
    assert (raw_block(payload) == expected).all()


@pytest.mark.parametrize("memory", ["0", "512MiB"])
async def test_a_request_reads_each_chunk_once(memory: str, tmp_path: Path) -> None:
    """Also where the cache keeps nothing, and more blocks share a chunk than are under way at a time."""
    spec = VolumeSpec(size=(256, 256, 100), chunk_size=(128, 128, 128), offset=(10, 20, 30))
    truth = write_volume(tmp_path / "em", spec)
    async with (
        serve(serve_directory(tmp_path)) as web,
        serving(
            config_text(
                {},
                f'[cache]\nmemory = "{memory}"\n[store.em]\nengine = "ngprecomputed"\ninstance = "em"\n'
                f'ref = "{web.url}/em"\nblock_size = 32\n',
            ),
            tmp_path,
        ) as server,
    ):
        blocks = [(x, y, z) for z in range(-1, 6) for y in range(-1, 11) for x in range(-1, 11)]
        query = ",".join(str(number) for block in blocks for number in block)
        path = f"{server.node}/em/specificblocks?blocks={query}&compression=uncompressed"
        frames = parse_stream(await server.get(path))
        asked = [request.path.rpartition("/")[2] for request in web.asked]
        assert len(frames) == 9 * 9 * 5
        for (x, y, z), payload in frames:
            expected = expected_box(truth[0], spec.offset, (x * 32, y * 32, z * 32), (32, 32, 32))
            assert (raw_block(payload, side=32) == expected[..., 0]).all()
    assert sorted(asked) == sorted({*asked})
    assert len(asked) == 1 + 4


async def test_a_scale_whose_package_is_missing_costs_that_scale_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    write_volume(tmp_path / "em", VolumeSpec(scale_levels=2))
    rewrite_info(tmp_path / "em", encoding="jpegls")
    async with serving(config_text({"em": tmp_path / "em"}), tmp_path) as server:
        await server.get(f"{server.node}/em_1/info")
        assert (await server.error(f"{server.node}/em/info"))[0] == 400
    assert "scale 0 is not served: encoding is 'jpegls', not one of raw, jpeg, png" in caplog.text
