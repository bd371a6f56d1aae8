"""neuclease's requests, sent with requests as it does, and how it reads the answers.

(repo.py:42-1002, voxels.py:12-239; neuclease e113d84)
"""

import json
from datetime import datetime

import numpy as np
import pytest

from tests.blockstream import grey_block, parse_stream
from tests.clients.conftest import Served
from tests.serving import UUID
from tests.volumes import expected_box

HEADERS = {
    "User-Agent": "python-requests/2.32",
    "Accept-Encoding": "gzip, deflate",
    "Accept": "*/*",
    "Connection": "keep-alive",
}
WHO = "u=tester&app=neuclease"
NODE = f"/api/node/{UUID}"


async def fetch(served: Served, path: str) -> bytes:
    joined = "&" if "?" in path else "?"
    async with served.server.ask("GET", f"{path}{joined}{WHO}", HEADERS) as response:
        assert response.status == 200, await response.text()
        return await response.read()


async def test_it_knows_the_server_and_the_repo(em: Served) -> None:
    assert all(isinstance(value, str) for value in json.loads(await fetch(em, "/api/server/info")).values())
    [repo] = json.loads(await fetch(em, "/api/repos/info")).values()
    assert repo == json.loads(await fetch(em, f"/api/repo/{UUID}/info"))
    assert repo["Root"] == UUID
    assert {data["Base"]["TypeName"] for data in repo["DataInstances"].values()} == {"uint8blk"}
    [node] = repo["DAG"]["Nodes"].values()
    assert (node["UUID"], node["Branch"], node["Locked"], node["Parents"]) == (UUID, "", True, [])
    for time in (node["Created"], node["Updated"], repo["Created"]):
        assert datetime.fromisoformat(time).tzinfo is not None


@pytest.mark.parametrize("spec", [":master", f"{UUID[:4]}:master", UUID[:4]])
async def test_it_resolves_references(em: Served, spec: str) -> None:
    assert json.loads(await fetch(em, f"/api/repo/{spec}/info"))["Root"] == UUID


async def test_a_branch_is_not_a_uuid(em: Served) -> None:
    async with em.server.ask("GET", f"/api/repo/master/info?{WHO}", HEADERS) as response:
        assert response.status == 400


async def test_notes_and_logs_are_there(em: Served) -> None:
    assert json.loads(await fetch(em, f"{NODE}/note"))["note"] == ""
    assert json.loads(await fetch(em, f"{NODE}/log"))["log"] == []
    assert len(json.loads(await fetch(em, f"/api/repo/{UUID}/log"))["log"]) == 3
    assert json.loads(await fetch(em, f"{NODE}/commit"))["Locked"] is True


async def test_it_reads_the_whole_volume_in_one_box(holed: Served) -> None:
    extended = json.loads(await fetch(holed, f"{NODE}/holed/info"))["Extended"]
    size = np.array(extended["MaxPoint"]) + 1 - extended["MinPoint"]
    assert size.tolist() == [150, 130, 100]
    shape = "_".join(map(str, -(-size // 64) * 64))
    volume = np.zeros((192, 192, 128), np.uint8)
    for (x, y, z), payload in parse_stream(await fetch(holed, f"{NODE}/holed/subvolblocks/{shape}/0_0_0")):
        volume[x * 64 : x * 64 + 64, y * 64 : y * 64 + 64, z * 64 : z * 64 + 64] = grey_block(payload)
    difference = np.abs(volume[:150, :130, :100].astype(int) - holed.truth[0][..., 0])
    assert difference.mean() < 2


async def test_it_reads_any_box_as_voxels(holed: Served) -> None:
    """Test `fetch_raw(fetch_volume_box())`, and a box across the volume's edge."""
    for start, size in (((0, 0, 0), (150, 130, 100)), ((-5, 100, 70), (60, 50, 40))):
        shape, offset = ("_".join(map(str, point)) for point in (size, start))
        body = await fetch(holed, f"{NODE}/holed/raw/0_1_2/{shape}/{offset}?throttle=true")
        voxels = np.frombuffer(body, np.uint8).reshape(size[::-1]).transpose(2, 1, 0)
        expected = expected_box(holed.truth[0], (0, 0, 0), start, size)[..., 0]
        assert np.abs(voxels.astype(int) - expected).max() <= 2
