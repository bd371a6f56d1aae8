"""A wrong place gets one line: what was tried, what came of it, and what to do."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from aiohttp import web

from dvidpc.config import Address, load_config, parse_config
from dvidpc.demo import write_demo_volume
from dvidpc.errors import ConfigError, DvidpcError, StoreError
from dvidpc.init.config_text import bare_text, commented_text
from dvidpc.init.looking import SeenVolume, look
from dvidpc.init.volume_arguments import name_volumes
from dvidpc.types import Point
from tests.array_volumes import tissue, write_cosem_n5, write_ome_zarr
from tests.label_volumes import LabelScale, write_labels
from tests.servers import serve, serve_directory
from tests.serving import serving
from tests.volumes import VolumeSpec, write_volume

ENVIRON = {"AWS_EC2_METADATA_DISABLED": "true"}


async def seen(
    *arguments: str, anonymous: bool = False, environ: Mapping[str, str] = ENVIRON
) -> list[SeenVolume]:
    volumes = name_volumes(arguments, [], anonymous=anonymous)
    text = bare_text(volumes, Address("localhost", 0), is_open=anonymous)
    quick = "\n[limits]\nattempts = 1\nconnect_timeout = 0.5\n"
    return await look(parse_config(text + quick, "command line"), environ)


async def complaint(kind: type[DvidpcError], *arguments: str, anonymous: bool = False) -> str:
    with pytest.raises(kind) as caught:
        await seen(*arguments, anonymous=anonymous)
    assert str(caught.value).isprintable()
    return str(caught.value)


async def test_a_missing_volume_is_reported_with_the_object_that_was_tried(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    text = await complaint(ConfigError, str(tmp_path / "empty"))
    assert f"no such file: file://{tmp_path}/empty/info does not exist" in text
    assert "name the directory that holds the volume's info" in text


async def test_a_missing_volume_on_a_web_server_is_404(tmp_path: Path) -> None:
    async with serve(serve_directory(tmp_path)) as server:
        text = await complaint(ConfigError, f"{server.url}/em")
        assert f"404, not found: {server.url}/em/info does not exist" in text
        assert "; name " in text


async def test_a_volume_nearby_is_named_so_that_it_can_be_served(tmp_path: Path) -> None:
    write_volume(tmp_path / "data" / "em", VolumeSpec())
    write_volume(tmp_path / "data" / "em" / "s0" / "other", VolumeSpec())
    for wrong, right in (("data", "data/em"), ("data/em/s0", "data/em")):
        text = await complaint(ConfigError, str(tmp_path / wrong))
        assert "there is one" in text
        place = text.rpartition("; name ")[2]
        assert place == f"file://{tmp_path}/{right}"
        assert (await seen(place))[0].plan.name == "em"


@pytest.mark.parametrize(
    ("name", "engine"), [("v2", "zarr"), ("v3", "zarr"), ("n5", "n5"), ("pre", "ngprecomputed")]
)
async def test_the_format_of_a_place_is_found_out(tmp_path: Path, name: str, engine: str) -> None:
    voxels = tissue((20, 20, 20))
    write_ome_zarr(tmp_path / "v2", [voxels])
    write_ome_zarr(tmp_path / "v3", [voxels], version="0.5")
    write_cosem_n5(tmp_path / "n5", [voxels])
    write_volume(tmp_path / "pre", VolumeSpec())
    [one] = await seen(str(tmp_path / name))
    assert (one.store.engine, one.store.instance) == (engine, name)
    text = commented_text([one], Address("localhost", 0))
    assert f'engine = "{engine}"\n' in text
    (tmp_path / "config.toml").write_text(text)
    assert load_config(tmp_path / "config.toml").stores[0].engine == engine


async def test_a_format_that_the_place_names_is_taken_at_its_word(tmp_path: Path) -> None:
    write_ome_zarr(tmp_path / "v2", [tissue((20, 20, 20))])
    for place in (f"zarr://file://{tmp_path}/v2", f"file://{tmp_path}/v2/|zarr2:s0"):
        [one] = await seen(place)
        assert one.store.engine == "zarr"
    text = await complaint(ConfigError, f"n5://file://{tmp_path}/v2")
    assert 'there is an OME-Zarr group: write engine = "zarr"' in text


async def test_damaged_metadata_are_an_error_of_the_volume(tmp_path: Path) -> None:
    write_volume(tmp_path / "em", VolumeSpec())
    (tmp_path / "em" / "info").write_text("{")
    assert "cannot be served" in await complaint(ConfigError, str(tmp_path / "em"))


@pytest.mark.parametrize(("status", "advice"), [(403, "sign in"), (401, "sign in")])
async def test_a_refusal_says_how_to_be_let_in(status: int, advice: str) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=status)

    async with serve(refuse) as server:
        text = await complaint(ConfigError, f"{server.url}/em")
    assert advice in text
    assert str(status) in text


async def test_a_server_that_fails_is_an_error_of_the_network() -> None:
    async def fail(_: web.Request) -> web.Response:
        return web.Response(status=500)

    async with serve(fail) as server:
        assert "check the address and the network" in await complaint(StoreError, f"{server.url}/em")
    assert "check the address and the network" in await complaint(StoreError, f"{server.url}/em")


@pytest.mark.parametrize("anonymous", [False, True])
async def test_a_private_bucket_says_how_to_read_a_public_one(*, anonymous: bool) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>")

    async with serve(refuse) as server:
        place = f"vast://{server.url}/bucket/em"
        text = await complaint(ConfigError, place, anonymous=anonymous)
    assert ("add --anonymous" in text) != anonymous
    assert ("leave --anonymous out" in text) == anonymous


async def test_what_is_written_can_be_served_and_says_what_was_seen(tmp_path: Path) -> None:
    write_volume(tmp_path / "em", VolumeSpec(encoding="jpeg", scale_levels=2))
    write_labels(
        tmp_path / "labels", LabelScale(np.arange(64**3, dtype=np.uint64).reshape(64, 64, 64) // 4096)
    )
    found = await seen(str(tmp_path / "em"), str(tmp_path / "labels"))
    text = commented_text(found, Address("localhost", 8000))
    path = tmp_path / "config.toml"
    path.write_text(text)
    config = load_config(path)
    assert [store.instance for store in config.stores] == ["em", "labels"]
    assert config.warnings == config.notes == ()
    assert str(config.server.http_address) == "localhost:8000"
    assert "# An image of uint8:\n#   em: 150 x 130 x 100 voxels of 8 x 8 x 8 nm, stored as jpeg" in text
    assert "#   em_1: 75 x 65 x 50 voxels of 16 x 16 x 16 nm" in text
    assert "# A segmentation of uint64:" in text
    assert [one.store.ref for one in await look(config, ENVIRON)] == [one.store.ref for one in found]


async def test_every_line_that_is_turned_off_can_be_turned_on(tmp_path: Path) -> None:
    write_volume(tmp_path / "em", VolumeSpec())
    text = commented_text(await seen(str(tmp_path / "em")), Address("localhost", 8000))
    for line in text.splitlines():
        if line.startswith("#") and not line.startswith("# ") and "=" in line and "tls_key" not in line:
            (tmp_path / "on.toml").write_text(text.replace(line, line[1:], 1))
            await asyncio.to_thread(load_config, tmp_path / "on.toml")


async def test_a_collection_of_annotations_is_written_too(tmp_path: Path) -> None:
    write_demo_volume(tmp_path / "demo", lambda _: None, Point(70, 45, 33))
    places = ("demo", "demo/segmentation", "demo/synapses")
    text = commented_text(await seen(*(str(tmp_path / place) for place in places)), Address("localhost", 0))
    assert "# synapses: annotations of type line, " in text
    async with serving(text, tmp_path) as server:
        assert await server.get("/readyz") == b"ok\n"
        [repo] = json.loads(await server.get("/api/repos/info")).values()
        assert {"demo", "segmentation", "synapses"} <= repo["DataInstances"].keys()
