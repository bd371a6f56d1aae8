"""A zarr segmentation has a label index too; missing chunks stand for their fill value."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import tensorstore as ts

from dvidpc.config import load_config
from dvidpc.sources.buckets import Buckets
from dvidpc.sources.engines import ENGINES
from tests.label_index import write_index
from tests.serving import config_text, serving
from tests.sparse_volumes import read_runs, voxels_of, where

FILL = 7


def write_labels(directory: Path) -> np.ndarray:
    """Write an array of 3 x 2 x 2 chunks, one of which is not stored; return its voxels."""
    labels = np.full((40, 50, 70), FILL, np.uint64)
    labels[:20, :30, 32:] = np.random.default_rng(1).integers(0, 4, (20, 30, 38))
    spec = {
        "driver": "zarr3",
        "kvstore": f"file://{directory}/",
        "metadata": {
            "shape": labels.shape,
            "data_type": "uint64",
            "fill_value": FILL,
            "dimension_names": ["z", "y", "x"],
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [20, 30, 32]}},
        },
    }
    array = ts.open(spec, create=True).result()
    array[:20, :30, 32:].write(labels[:20, :30, 32:]).result()
    return labels


@pytest.mark.parametrize("memory", ["0", "256MiB"])
async def test_sparse_volumes_hold_the_fill_of_missing_chunks(memory: str, tmp_path: Path) -> None:
    labels = write_labels(tmp_path / "seg")
    text = config_text(
        {"seg": tmp_path / "seg"},
        f'type = "segmentation"\nvoxel_size = [8, 8, 8]\nlabel_index = "{tmp_path}/index"\n'
        f'[cache]\nmemory = "{memory}"\n',
    ).replace("ngprecomputed", "zarr")
    (tmp_path / "config.toml").write_text(text)
    buckets = Buckets(load_config(tmp_path / "config.toml"), os.environ)
    [settings] = buckets.volumes
    store = await buckets.open(settings)
    metadata = await ENGINES["zarr"].load(store, settings)
    await store.close()
    write_index(tmp_path / "index", metadata.data, labels)
    async with serving(text, tmp_path) as server:
        assert await server.get("/readyz") == b"ok\n"
        node = f"{server.node}/seg"
        for label in (1, 3, FILL):
            expected = where(labels, label)
            assert json.loads(await server.get(f"{node}/size/{label}")) == {"voxels": len(expected)}
            assert voxels_of(read_runs(await server.get(f"{node}/sparsevol/{label}"))) == expected
