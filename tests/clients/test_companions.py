"""neuroglancer, dvidtools and NeuTu read meshes, skeletons and annotations as they do from DVID."""

import asyncio
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from cloudvolume import Mesh

from tests.companions import VERTICES, segment_objects, write_objects
from tests.programs import need
from tests.serving import UUID, Asked, config_text, serving

ROOT = Path(__file__).parents[2]
DVIDTOOLS = """
import json, sys, dvid
dvid.setup(server=sys.argv[1], node=sys.argv[2], user="tester")
from dvid import config
config.segmentation = config.body_labels = "seg"
[mesh] = dvid.get_meshes(77, output="trimesh", progress=False)
[swc] = dvid.get_skeletons(77, output="auto", progress=False)
print(json.dumps({
    "vertices": mesh.vertices.max(0).tolist(),
    "faces": len(mesh.faces),
    "skeleton": swc[["x", "y", "z"]].values.tolist(),
    "exist": dvid.fetch.has_skeleton([77, 78], progress=False).tolist(),
    "missing": dvid.get_meshes(78, output="trimesh", on_error="skip", progress=False),
    "annotation": dvid.get_annotation(77),
}))
"""


async def run(*command: str, **environ: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "TQDM_DISABLE": "1", "PYTHONPATH": str(ROOT), **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(100):
            output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, (output + errors).decode()[-3000:]
    return output.decode()


async def test_dvidtools_reads_mesh_skeleton_and_annotation(tmp_path: Path) -> None:
    write_objects(tmp_path / "seg", segment_objects())
    async with serving(config_text({"seg": tmp_path / "seg"}), tmp_path, {}) as server:
        found = json.loads(await run(sys.executable, "-c", DVIDTOOLS, server.url, UUID))
        mesh = Mesh.from_precomputed(await server.get(f"{server.node}/seg_meshes/key/77.ngmesh"))
    assert np.allclose(found["vertices"], mesh.vertices.max(0))
    assert found["faces"] == len(mesh.faces)
    assert found["skeleton"] == (VERTICES / 8).tolist()
    assert found["exist"] == [True, False]
    assert found["missing"] == []
    assert found["annotation"] == {"bodyid": 77, "label": "Mi1", "name": "Mi1", "size": 7, "tags": ["a"]}


async def test_neuroglancer_shows_the_mesh_and_the_skeleton_of_a_segment(tmp_path: Path) -> None:
    browser, driver = need("chromium", "chromium"), need("chromedriver", "chromium-driver")
    search = os.pathsep.join(dict.fromkeys([*map(os.path.dirname, (browser, driver)), os.environ["PATH"]]))
    write_objects(tmp_path / "seg", segment_objects())
    asked: list[Asked] = []
    async with serving(config_text({"seg": tmp_path / "seg"}), tmp_path, {}, asked.append) as server:
        await run(
            sys.executable,
            str(Path(__file__).parent / "neuroglancer_segment.py"),
            f"dvid://{server.url}/{UUID}/seg",
            str(tmp_path),
            "77",
            PATH=search,
            SE_OFFLINE="true",
            SE_CHROMEDRIVER=driver,
            DVID_CREDENTIALS=f"{server.url}=anything",
        )
    statuses = {
        path.split("?")[0].rpartition("/seg_")[2]: status for _, path, status in asked if "/key/" in path
    }
    assert statuses == {"meshes/key/77.ngmesh": 200, "skeletons/key/77_swc": 200}
    red = np.load(tmp_path / "shown.npy").astype(int)
    assert ((red[..., 0] > 60) & (red[..., 1] < 40)).mean() > 0.02


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "annotations/key/77?show=all&u=me&app=NeuTu", 200),
        ("HEAD", "annotations/key/77", 200),
        ("HEAD", "annotations/key/78", 404),
        ("GET", "annotations/key/schema", 400),
        ("GET", "annotations/schema", 404),
        ("HEAD", "skeletons/key/77_swc", 200),
        ("HEAD", "skeletons/key/78_swc", 404),
        ("GET", "meshes/key/77_0.ngmesh", 200),
    ],
)
async def test_neutu_is_answered_and_never_gets_an_error_as_json(
    method: str, path: str, status: int, tmp_path: Path
) -> None:
    """A JSON body is a configuration to NeuTu, whatever its status.

    (zdvidreader.cpp:6037-6049)
    """
    write_objects(tmp_path / "seg", segment_objects())
    async with serving(config_text({"seg": tmp_path / "seg"}), tmp_path, {}) as server:
        async with server.ask(method, f"{server.node}/seg_{path}") as answer:
            body = await answer.read()
            assert answer.status == status
        if status != 200 and body:
            with pytest.raises(ValueError, match="Expecting value"):
                json.loads(body)
