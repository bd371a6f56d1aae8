"""The requests that NeuTu sends to open a dataset, one by one, and what it reads in the answers.

(zdvidreader.cpp:177-232, zflyemproofdoc.cpp:1871-2000, and lowtis; NeuTu 296bb71)
"""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.blockstream import grey_block, parse_stream
from tests.clients.conftest import Served
from tests.serving import UUID, config_text, serving
from tests.volumes import VolumeSpec, expected_box, write_volume

QT = {"User-Agent": "Mozilla/5.0", "Accept-Encoding": "gzip, deflate", "Accept-Language": "en-US,*"}
LIBDVID = {"Accept": "*/*", "Content-Type": "application/octet-stream", "Content-Length": "0"}
NODE = f"/api/node/{UUID}"
WHO = "u=tester&app=NeuTu"


async def test_it_connects(em: Served) -> None:
    for path in ("/", f"/api/repo/{UUID[:6]}/info", f"/api/repo/{UUID}/info?{WHO}"):
        async with em.server.ask("HEAD", path, QT) as response:
            assert response.status == 200
            assert await response.read() == b""
    async with em.server.ask("GET", f"/api/repo/{UUID}/branch-versions/master?{WHO}", QT) as response:
        assert (await response.json())[0] == UUID
    async with em.server.ask("GET", f"{NODE}/commit?{WHO}&{WHO}", QT) as response:
        assert await response.json() == {"Locked": True}


@pytest.mark.parametrize(
    "call",
    [
        "default_instances/key/data",
        "branches/key/master",
        "neutu_config/key/user_status",
        "neutu_config/key/meta",
        "seg_annotations/schema",
        "rois/keys",
        "seg/info",
    ],
)
async def test_what_it_can_do_without_is_refused_in_plain_text(em: Served, call: str) -> None:
    async with em.server.ask("GET", f"{NODE}/{call}?{WHO}", QT) as response:
        assert response.status == 400
        assert response.content_type == "text/plain"
        with pytest.raises(json.JSONDecodeError):
            json.loads(await response.text())


async def test_it_finds_the_scales_and_how_to_read_them(em: Served) -> None:
    repo = json.loads(await em.server.get(f"/api/repo/{UUID}/info?{WHO}"))
    assert repo["DAG"]["Root"] == UUID
    assert repo["DAG"]["Nodes"][UUID]["VersionID"] == 1
    assert repo["DAG"]["Nodes"][UUID]["Children"] == []
    levels = 0
    while (instance := repo["DataInstances"].get(f"em_{levels + 1}")) is not None:
        assert instance["Base"]["RepoUUID"].startswith(UUID)
        levels += 1
    assert levels == 2
    info = json.loads(await em.server.get(f"{NODE}/em/info?{WHO}"))
    assert info["Base"]["Compression"].startswith("jpeg")
    assert info["Extents"] == {"MinPoint": [0, 0, 0], "MaxPoint": [511, 511, 127]}
    extended = info["Extended"]
    assert extended["BlockSize"] == [64, 64, 64]
    assert (extended["MinIndex"], extended["MaxIndex"]) == ([0, 0, 0], [7, 7, 1])
    assert extended["VoxelUnits"][0] == "nanometers"


@pytest.mark.parametrize("level", [0, 1])
async def test_lowtis_reads_a_slice(holed: Served, level: int) -> None:
    name = f"holed_{level}" if level else "holed"
    wanted = [(x, y, z) for z in (0, -1) for y in range(-1, 4) for x in range(-1, 4)] + [(6710887,) * 3]
    query = ",".join(str(n) for block in wanted for n in block)
    path = f"{NODE}/{name}/specificblocks?blocks={query}&u=tester&app=lowtis"
    async with holed.server.ask("GET", path, LIBDVID) as response:
        assert response.status == 200
        assert "Content-Encoding" not in response.headers
        frames = parse_stream(await response.read())
    assert {block for block, _ in frames} <= set(wanted)
    assert frames
    assert level or (1, 1, 0) not in dict(frames)
    for block, payload in frames:
        start = (block[0] * 64, block[1] * 64, block[2] * 64)
        expected = expected_box(holed.truth[level], (0, 0, 0), start, (64, 64, 64))[..., 0]
        assert np.abs(grey_block(payload).astype(int) - expected).mean() < 2


async def test_lowtis_prefetches_and_gets_nothing(em: Served) -> None:
    path = f"{NODE}/em/specificblocks?prefetch=on&blocks=0,0,-7,6710887,0,0,1,1,1&u=tester&app=lowtis"
    async with em.server.ask("GET", path, LIBDVID) as response:
        assert (response.status, await response.read()) == (200, b"")


@pytest.mark.parametrize("app", ["lowtis", "NeuTu"])
async def test_only_its_slice_reader_gets_answers_with_holes(tmp_path: Path, app: str) -> None:
    """An error ends lowtis, and NeuTu with it. NeuTu itself survives one, and so can try again."""
    [_] = write_volume(tmp_path / "volume", VolumeSpec())
    (tmp_path / "volume/s0/0-64_0-64_0-64").write_bytes(b"damaged")
    async with serving(config_text({"em": tmp_path / "volume"}), tmp_path) as server:
        path = f"{NODE}/em/specificblocks?blocks=0,0,0,1,0,0&u=tester&app={app}"
        async with server.ask("GET", path, LIBDVID) as response:
            body = await response.read()
            if app == "NeuTu":
                assert response.status == 502
            else:
                assert response.status == 200
                assert [block for block, _ in parse_stream(body)] == [(1, 0, 0)]
