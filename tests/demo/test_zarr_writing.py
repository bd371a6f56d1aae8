"""The demo's OME-Zarr volume, read back with tensorstore and served."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorstore as ts
from numpy.typing import NDArray

from dvidpc.demo import Layout, demo_config_text, demo_directory
from dvidpc.demo.tissue import Tissue
from dvidpc.demo.writing import write_volumes
from tests.serving import serving

SHAPE = (70, 90, 130)
SEED = 8


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("demo") / "volume"
    write_volumes(directory, SHAPE, SEED, lambda _: None, Layout.ZARR)
    return directory


def read(path: Path) -> NDArray[np.unsignedinteger]:
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{path}/"}}
    voxels: NDArray[np.unsignedinteger] = np.asarray(ts.open(spec, open=True).result().read().result())
    return voxels


def test_the_arrays_hold_the_tissue(directory: Path) -> None:
    drawn = Tissue(SHAPE, SEED).draw((slice(0, 64), slice(0, 64), slice(0, 64)))
    assert (read(directory / "s0")[:64, :64, :64] == drawn.image).all()
    assert (read(directory / "labels" / "segmentation" / "s0")[:64, :64, :64] == drawn.labels).all()


async def test_image_and_segmentation_are_served(directory: Path, tmp_path: Path) -> None:
    async with serving(demo_config_text(directory, "localhost:0", Layout.ZARR), tmp_path) as server:
        [repo] = json.loads(await server.get("/api/repos/info")).values()
        types = {name: one["Base"]["TypeName"] for name, one in repo["DataInstances"].items()}
        assert types == {
            "em": "uint8blk",
            "em_1": "uint8blk",
            "em_2": "uint8blk",
            "em_3": "uint8blk",
            "segmentation": "labelmap",
            "synapses": "annotation",
            "synapses_labelsz": "labelsz",
        }
        node = f"/api/node/{repo['Root']}"
        body = await server.get(f"{node}/em_1/raw/0_1_2/65_45_35/0_0_0")
        assert (np.frombuffer(body, "u1").reshape(35, 45, 65) == read(directory / "s1")).all()
        info = json.loads(await server.get(f"{node}/em_2/info"))["Extended"]
        assert (info["VoxelSize"], info["MinPoint"]) == ([32.0] * 3, [0, 0, 0])
        labels = json.loads(await server.get(f"{node}/segmentation/info"))["Extended"]
        assert labels["MaxDownresLevel"] == 2


def test_each_layout_has_a_directory_of_its_own() -> None:
    environ = {"XDG_CACHE_HOME": "/cache"}
    assert demo_directory(environ, Layout.ZARR) == Path("/cache/dvidpc/demo-zarr-v1")
    assert demo_directory(environ) == Path("/cache/dvidpc/demo-v5")
