"""Clients of annotations: dvidtools itself, and requests of neuclease, NeuTu and Janelia's neuroglancer.

(neuclease e113d84, annotation.py; NeuTu 296bb71; @janelia-flyem/neuroglancer 2.37.5)
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from tests.segmentation import stripes, write_segmentation
from tests.serving import UUID, Asked, Server, config_text, serving
from tests.synapses import BIG, writer_of

SIZE = (150, 130, 100)
LABELS = stripes(SIZE, (7, BIG, 23, 31), width=20)
NODE = f"/api/node/{UUID}"
HEADERS = {"User-Agent": "python-requests/2.32", "Accept": "*/*"}

Connection = tuple[tuple[int, int, int], tuple[int, int, int]]


def draw_connections() -> Sequence[Connection]:
    """Return T-bars with up to eight PSDs each, none of them in label 0 and none at the place of another."""
    rng = np.random.default_rng(5)
    taken: set[tuple[int, ...]] = set()

    def place(low: Sequence[int], high: Sequence[int]) -> tuple[int, int, int]:
        while True:
            x, y, z = rng.integers(low, high).tolist()
            if LABELS[x, y, z] and (x, y, z) not in taken:
                taken.add((x, y, z))
                return x, y, z

    connections = []
    for _ in range(60):
        tbar = place((0, 0, 0), SIZE)
        low, high = np.maximum(np.array(tbar) - 30, 0), np.minimum(np.array(tbar) + 30, SIZE)
        connections += [(tbar, place(low, high)) for _ in range(rng.integers(1, 9))]
    return connections


CONNECTIONS = draw_connections()


def label_at(voxel: Sequence[int]) -> int:
    return int(LABELS[tuple(voxel)])


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("volumes")
    write_segmentation(directory / "segmentation", [LABELS, LABELS[::2, ::2, ::2]])
    confidence = {"id": "pre_confidence", "type": "float32"}
    writer = writer_of("line", ["body_pre", "body_post"], [confidence])
    for number, (tbar, psd) in enumerate(CONNECTIONS, 1):
        writer.add_line(
            tbar, psd, number, pre_confidence=0.75, body_pre=label_at(tbar), body_post=label_at(psd)
        )
    writer.write(directory / "synapses")
    return directory


@pytest_asyncio.fixture
async def server(volumes: Path, tmp_path: Path) -> AsyncIterator[Server]:
    stores = {name: volumes / name for name in ("segmentation", "synapses")}
    async with serving(config_text(stores), tmp_path) as running:
        yield running


DVIDTOOLS = """
import json, sys, dvid
dvid.setup(server=sys.argv[1], node=sys.argv[2], user="tester")
body, other = int(sys.argv[3]), int(sys.argv[4])
connections = dvid.get_connections(body, other)
backwards = dvid.get_connections([body, other, 77], other)
partners = dvid.get_connectivity(body, ignore_autapses=False)
print(json.dumps({
    "synapses": dvid.get_synapses(body).Pos.tolist(),
    "detailed": sum(len(rels) for rels in dvid.get_synapses(body, with_details=True).Rels),
    "counts": dvid.get_n_synapses(body),
    "connections": [[*map(list, pair)] for pair in zip(connections.tbar_position, connections.psd_position)],
    "pre": [int(body) for body in connections.bodyid_pre],
    "confidence": sorted(set(connections.conf)),
    "backwards": [[*map(list, pair)] for pair in zip(backwards.tbar_position, backwards.psd_position)],
    "partners": [[int(row.bodyid), row.relation, int(row.n_synapses)] for row in partners.itertuples()],
}))
"""


async def run_dvidtools(server: Server, body: int, other: int) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", DVIDTOOLS, server.url, UUID, str(body), str(other)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TQDM_DISABLE": "1"},
    )
    async with asyncio.timeout(60):
        output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()[-3000:]
    answer: dict[str, Any] = json.loads(output)
    return answer


@pytest.mark.parametrize(("body", "other"), [(7, BIG), (BIG, 23)])
async def test_dvidtools_reads_synapses_and_connections(server: Server, body: int, other: int) -> None:
    found = await run_dvidtools(server, body, other)
    starting = [(tbar, psd) for tbar, psd in CONNECTIONS if label_at(tbar) == body]
    ending = [(tbar, psd) for tbar, psd in CONNECTIONS if label_at(psd) == body]
    tbars, psds = {tbar for tbar, _ in starting}, {psd for _, psd in ending}
    assert sorted(map(tuple, found["synapses"])) == sorted([*tbars, *psds])
    assert found["detailed"] == len(starting) + len(ending)
    assert found["counts"] == {"pre": len(tbars), "post": len(psds)}
    between = sorted([list(tbar), list(psd)] for tbar, psd in starting if label_at(psd) == other)
    assert len(between) > 3
    assert sorted(found["connections"]) == between
    assert {*found["pre"]} == {body}
    assert found["confidence"] == ["0.75"]
    backwards = [pair for pair in found["backwards"] if label_at(pair[0]) == body]
    assert sorted(backwards) == between
    down: dict[int, int] = {}
    up: dict[int, int] = {}
    for _, psd in starting:
        down[label_at(psd)] = down.get(label_at(psd), 0) + 1
    for tbar, _ in ending:
        up[label_at(tbar)] = up.get(label_at(tbar), 0) + 1
    expected = [[one, "downstream", n] for one, n in down.items()] + [
        [one, "upstream", n] for one, n in up.items()
    ]
    assert sorted(found["partners"]) == sorted(expected)


async def fetch(server: Server, path: str) -> dict[str, Any]:
    async with server.ask("GET", path, HEADERS) as response:
        assert response.status == 200, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


async def fetch_elements(server: Server, path: str) -> list[dict[str, Any]]:
    async with server.ask("GET", path, HEADERS) as response:
        assert response.status == 200, await response.text()
        return await response.json() or []


async def test_neuclease_reads_all_synapses_in_batches(server: Server) -> None:
    """Test `fetch_synapses_in_batches`: extents of the first sync, then boxes that are long in x."""
    info = await fetch(server, f"{NODE}/synapses/info?app=neuclease")
    extended = (await fetch(server, f"{NODE}/{info['Base']['Syncs'][0]}/info"))["Extended"]
    low, high = np.array(extended["MinPoint"]), np.array(extended["MaxPoint"]) + 1
    start, stop = low // 64 * 64, -(-high // 64) * 64
    points, partners = [], []
    for z in range(start[2], stop[2], 64):
        for y in range(start[1], stop[1], 64):
            size = f"{stop[0] - start[0]}_64_64"
            blocks = await fetch(server, f"{NODE}/synapses/blocks/{size}/{start[0]}_{y}_{z}?app=neuclease")
            for key, elements in blocks.items():
                block = [int(part) for part in key.split(",")]
                for element in elements:
                    assert [at // 64 for at in element["Pos"]] == block
                    points.append((*element["Pos"], element["Kind"]))
                    partners += [(tuple(element["Pos"]), tuple(rel["To"])) for rel in element["Rels"]]
    tbars, psds = {tbar for tbar, _ in CONNECTIONS}, {psd for _, psd in CONNECTIONS}
    assert sorted(points) == sorted([(*at, "PreSyn") for at in tbars] + [(*at, "PostSyn") for at in psds])
    assert sorted(partners) == sorted([*CONNECTIONS, *((psd, tbar) for tbar, psd in CONNECTIONS)])


async def test_neuclease_flattens_properties_and_counts_relations(server: Server) -> None:
    """Test `fetch_label(format='pandas')` and `fetch_relcounts_for_label`, which read Prop and Rels."""
    for element in await fetch_elements(server, f"{NODE}/synapses/label/7?relationships=true&app=neuclease"):
        assert all(isinstance(value, str) for value in element["Prop"].values())
        np.float32(element["Prop"].get("conf", "0"))
        assert all(rel["Rel"] in {"PreSynTo", "PostSynTo"} for rel in element["Rels"])
        assert element["Tags"] == []


async def test_neutu_reads_the_blocks_in_view(server: Server) -> None:
    """NeuTu asks for boxes of 128 voxels, and for the element that is selected."""
    found: list[Any] = []
    for x, y in ((0, 0), (128, 0), (0, 128), (128, 128)):
        found += await fetch_elements(server, f"{NODE}/synapses/elements/128_128_128/{x}_{y}_0")
    tbars, psds = {tbar for tbar, _ in CONNECTIONS}, {psd for _, psd in CONNECTIONS}
    assert sorted(tuple(element["Pos"]) for element in found) == sorted([*tbars, *psds])
    for element in found[:20]:
        place = "_".join(map(str, element["Pos"]))
        assert await fetch_elements(server, f"{NODE}/synapses/elements/1_1_1/{place}") == [element]
    assert await fetch_elements(server, f"{NODE}/synapses/tag/user:nobody") == []


async def test_janelias_neuroglancer_finds_geometry_and_elements(server: Server) -> None:
    """It reads the geometry from one sync or from the tags, then blocks; null anywhere breaks it."""
    [repo] = (await fetch(server, "/api/repos/info")).values()
    base = repo["DataInstances"]["synapses"]["Base"]
    assert base["TypeName"] == "annotation"
    assert [isinstance(name, str) for name in base["Syncs"]] == [True]
    geometry = repo["DataInstances"][base["Syncs"][0]]["Extended"]
    tags = {name: json.loads(text) for name, text in base["Tags"].items()}
    for name in ("MinPoint", "MaxPoint", "VoxelSize"):
        assert tags[name] == geometry[name]
    size = "_".join(map(str, tags["BlockSize"]))
    async with server.ask("GET", f"{NODE}/synapses/blocks/{size}/0_0_0?app=Neuroglancer&u=me") as response:
        text = await response.text()
    assert "null" not in text
    elements = [element for block in json.loads(text).values() for element in block]
    assert {element["Kind"] for element in elements} == {"PreSyn", "PostSyn"}
    assert len(elements) == len({*CONNECTIONS}) + len({tbar for tbar, _ in CONNECTIONS})
    assert all(isinstance(element["Prop"], dict) for element in elements)


async def test_dvidtools_is_refused_nothing(volumes: Path, tmp_path: Path) -> None:
    asked: list[Asked] = []
    stores = {name: volumes / name for name in ("segmentation", "synapses")}
    async with serving(config_text(stores), tmp_path, on_answer=asked.append) as server:
        await run_dvidtools(server, 7, BIG)
    assert {asked_for.status for asked_for in asked} == {200}
