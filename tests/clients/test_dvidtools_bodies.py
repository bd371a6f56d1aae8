"""The real dvidtools reads sizes and sparse volumes of an indexed segmentation."""

import asyncio
import json
import os
import sys
from pathlib import Path

import numpy as np

from tests.dvid.labelmap.indexed import serving_indexed
from tests.label_chunks import EIGHT, draw_cells
from tests.label_volumes import LabelScale
from tests.serving import UUID

CELLS = draw_cells(30, EIGHT._replace(x=150, y=130, z=70))
LABELS = np.where(CELLS < 2**62, CELLS, CELLS >> np.uint64(3))
"""dvidtools takes labels for signed integers."""

PROGRAM = """
import json, sys, dvid
dvid.setup(server=sys.argv[1], node=sys.argv[2], user="tester")
dvid.config.segmentation = "segmentation"
ids = json.loads(sys.argv[3])
body = ids[0]
full = dvid.get_sparsevol(body, scale=0)
print(json.dumps({
    "sizes": dvid.get_sizes(ids, progress=False).tolist(),
    "exist": dvid.ids_exist([*ids, 999_999], progress=False).tolist(),
    "size": dvid.get_sparsevol_size(body),
    "full": sorted(map(tuple, full.tolist())),
    "coarse": sorted(map(tuple, dvid.get_sparsevol(body, scale="COARSE").tolist())),
    "changed": dvid.get_last_mod(body),
}))
"""


async def test_it_reads_sizes_and_voxels_of_bodies(tmp_path: Path) -> None:
    ids, counts = np.unique(LABELS[LABELS > 0], return_counts=True)
    order = np.argsort(counts)
    async with serving_indexed(tmp_path, {"segmentation": [LabelScale(LABELS)]}) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            PROGRAM,
            server.url,
            UUID,
            json.dumps(ids[order].tolist()),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "TQDM_DISABLE": "1"},
        )
        async with asyncio.timeout(60):
            output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()[-3000:]
    read = json.loads(output)
    voxels = np.argwhere(ids[order[0]] == LABELS)[:, ::-1]
    blocks = np.unique(voxels // 64, axis=0)
    assert read["sizes"] == counts[order].tolist()
    assert read["exist"] == [True] * len(ids) + [False]
    assert read["full"] == sorted(voxels.tolist())
    assert read["coarse"] == sorted(blocks.tolist())
    assert read["size"]["voxels"] == len(voxels)
    assert read["size"]["minvoxel"] == (64 * blocks.min(axis=0)).tolist()
    assert read["changed"]["mutation id"] == 0
