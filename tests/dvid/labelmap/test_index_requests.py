"""Requests to a labelmap with a label index: refusals, limits, and indexes that cannot be used."""

import json
import logging
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from tests.dvid.labelmap.indexed import serving_indexed
from tests.label_index import write_index
from tests.label_volumes import LabelScale, write_labels
from tests.serving import Server, config_text, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENDPOINTS = (
    "existing-labels",
    "index/5",
    "indices",
    "indices-compressed",
    "lastmod/5",
    "listlabels",
    "maxlabel",
    "nextlabel",
    "size/5",
    "sizes",
    "sparsevol/5",
    "sparsevol/5?format=srles",
    "sparsevol/5?format=blocks",
    "sparsevol-by-point/1_1_1",
    "sparsevol-coarse/5",
    "sparsevol-size/5",
    "sparsevols-coarse/1/9",
    "supervoxel-sizes/5",
    "supervoxels/5",
)
BEYOND = {"sparsevol/5", "sparsevol-by-point/1_1_1"}
"""Those that exceed the limit of `server`."""


def draw_labels(seed: int = 1) -> LabelScale:
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 40, (8, 10, 12)).astype(np.uint64)
    cells[0, 0, 0] = 5
    return LabelScale(cells.repeat(12, 0).repeat(12, 1).repeat(12, 2))


LABELS = draw_labels()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    limits = "[limits]\nmax_sparsevol = 20000\n"
    async with serving_indexed(tmp_path_factory.mktemp("indexed"), {"seg": [LABELS]}, limits) as running:
        yield running


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_every_index_endpoint_answers(endpoint: str, server: Server) -> None:
    async with server.ask("GET", f"{server.node}/seg/{endpoint}", body=b"[5]") as response:
        body = await response.read()
        assert response.status == (413 if endpoint in BEYOND else 200), body
        assert body


async def test_a_volume_beyond_the_limit_names_what_to_ask_for(server: Server) -> None:
    for query in ("", "?format=rles", "?compression=lz4"):
        status, text = await server.error(f"{server.node}/seg/sparsevol/5{query}")
        assert status == 413
        assert "max_sparsevol" in text
        assert "format=srles, which is streamed" in text
    runs = np.frombuffer(await server.get(f"{server.node}/seg/sparsevol/5?format=srles"), "<i4")
    assert runs.reshape(-1, 4)[:, 3].sum() == np.count_nonzero(LABELS.labels == 5)
    assert await server.get(f"{server.node}/seg/sparsevol/5?maxx=11&maxy=11&maxz=11")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("sparsevol/5?minx=a", 'error parsing bounds from query string: strconv.ParseInt: parsing "a"'),
        ("sparsevol/5?maxz=4294967296", "value out of range"),
        ("sparsevol/5?scale=2", "its MaxDownresLevel is 1"),
        ("sparsevol/5?scale=x", "bad scale specified"),
        ("sparsevol/", "ERROR: DVID requires label ID to follow 'sparsevol' command"),
        (
            "sparsevol-coarse/5?miny=a",
            'Error parsing bounds from query string: strconv.ParseInt: parsing "a"',
        ),
        ("sparsevol-by-point/", "DVID requires coord to follow"),
        ("sparsevols-coarse/5", "DVID requires start and end label ID"),
        ("index/5?mutid=x", 'parsing "x"'),
        ("index/", "DVID requires label to follow 'index' command"),
        ("listlabels?number=-1", 'parsing "-1"'),
    ],
)
async def test_malformed_requests_are_refused(path: str, said: str, server: Server) -> None:
    status, text = await server.error(f"{server.node}/seg/{path}")
    assert status == 400
    assert said in text


async def test_too_many_labels_are_refused(server: Server) -> None:
    body = json.dumps([5] * 50_001).encode()
    for endpoint in ("indices", "indices-compressed"):
        async with server.ask("GET", f"{server.node}/seg/{endpoint}", body=body) as response:
            assert response.status == 400
            assert "only 50,000 label indices can be returned at a time" in await response.text()


async def test_head_of_a_sparse_volume_reads_no_voxels(server: Server) -> None:
    for label, status in ((5, 200), (77_777, 204)):
        async with server.ask("HEAD", f"{server.node}/seg/sparsevol/{label}?minx=100000") as response:
            assert (response.status, await response.read()) == (status, b"")


async def test_answers_to_bodies_are_not_stored(server: Server) -> None:
    for endpoint in ("sizes", "indices", "indices-compressed"):
        async with server.ask("GET", f"{server.node}/seg/{endpoint}", body=b"[5]") as response:
            assert response.headers["Cache-Control"] == "no-store", endpoint


async def test_info_says_that_labels_are_indexed(server: Server) -> None:
    info = json.loads(await server.get(f"{server.node}/seg/info"))["Extended"]
    assert (info["IndexedLabels"], info["MaxLabel"], info["MaxRepoLabel"]) == (True, {"1": 39}, 39)
    assert await server.get("/readyz") == b"ok\n"


def write_all(directory: Path) -> None:
    write_labels(directory / "seg", LABELS)
    write_index(directory / "index", (directory / "seg" / "info").read_bytes(), LABELS.labels)


def config_of(directory: Path) -> str:
    return config_text({"seg": directory / "seg"}, f'label_index = "{directory}/index"\n')


async def check_unusable(server: Server, said: str) -> None:
    """Every endpoint is refused with the reason, which /readyz names; voxels are served all the same."""
    for endpoint in ENDPOINTS:
        async with server.ask("GET", f"{server.node}/seg/{endpoint}", body=b"[5]") as response:
            text = await response.text()
            assert (response.status, said in text) == (503, True), (endpoint, text)
    remarks = (await server.get("/readyz")).decode()
    assert remarks.startswith("ok\nstore seg: the label index ")
    assert said in remarks
    assert await server.get(f"{server.node}/seg/label/1_1_1") == b'{"Label": 5}'
    info = json.loads(await server.get(f"{server.node}/seg/info"))["Extended"]
    assert (info["IndexedLabels"], info["MaxLabel"]) == (True, {})
    volumes = json.loads(await server.get("/api/server/volumes"))["volumes"]
    assert said in volumes[0]["index"]["problem"]


async def test_a_missing_index_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_all(tmp_path)
    shutil.rmtree(tmp_path / "index")
    async with serving(config_of(tmp_path), tmp_path) as server:
        await check_unusable(server, "does not exist")
    assert [r for r in caplog.records if r.levelno == logging.ERROR and "does not exist" in r.getMessage()]


async def test_an_index_of_another_info_is_named(tmp_path: Path) -> None:
    write_all(tmp_path)
    info = tmp_path / "seg" / "info"
    info.write_bytes(info.read_bytes() + b"\n")
    async with serving(config_of(tmp_path), tmp_path) as server:
        await check_unusable(server, "the volume's info was changed")


async def test_an_index_of_a_larger_volume_is_named(tmp_path: Path) -> None:
    write_all(tmp_path)
    shutil.rmtree(tmp_path / "index")
    info = (tmp_path / "seg" / "info").read_bytes()
    write_index(tmp_path / "index", info, np.pad(LABELS.labels, 1))
    async with serving(config_of(tmp_path), tmp_path) as server:
        await check_unusable(server, "and the volume has (0, 0, 0) to (144, 120, 96)")


async def test_an_index_that_contradicts_the_voxels_is_used_no_more(tmp_path: Path) -> None:
    write_all(tmp_path)
    write_labels(tmp_path / "other", draw_labels(2))
    async with serving(config_of(tmp_path), tmp_path) as server:
        assert await server.get(f"{server.node}/seg/size/5")
        shutil.rmtree(tmp_path / "seg" / "s0")
        shutil.copytree(tmp_path / "other" / "s0", tmp_path / "seg" / "s0")
        for query in ("", "?format=srles", "?format=blocks"):
            status, text = await server.error(f"{server.node}/seg/sparsevol/5{query}")
            assert status == 503, text
            assert "the label index does not fit the volume: label 5 has" in text
        await check_unusable(server, "does not fit the volume")


async def test_damage_is_named_and_the_rest_is_served(tmp_path: Path) -> None:
    write_all(tmp_path)
    shutil.rmtree(tmp_path / "index" / "labels")
    async with serving(config_of(tmp_path), tmp_path) as server:
        assert await server.get(f"{server.node}/seg/size/5")
        assert await server.get("/readyz") == b"ok\n"
        status, text = await server.error(f"{server.node}/seg/sparsevol/5")
        assert (status, "is damaged" in text) == (503, True)
        assert b"is damaged" in await server.get("/readyz")
        assert await server.get(f"{server.node}/seg/size/5")
