"""`labelblk` holds the voxels of the recorded DVID's, whose blocks are smaller."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.blockstream import parse_stream
from tests.dvid.labelmap.replay import ROOT, recorded_server
from tests.label_payloads import read_block
from tests.recorded_labels import endpoint_answers


def joined(stream: bytes, side: int, size: tuple[int, int, int]) -> NDArray[np.uint64]:
    """Return the voxels `[z, y, x]` of LZ4 blocks of *side* voxels that start at 0, 0, 0."""
    whole = np.zeros(size[::-1], np.uint64)
    for block, payload in parse_stream(stream):
        x, y, z = (at * side for at in block)
        whole[z : z + side, y : y + side, x : x + side] = read_block(payload, "lz4")
    return whole


async def test_blocks_hold_the_voxels_of_dvids_smaller_blocks(tmp_path: Path) -> None:
    recorded = [
        answer
        for answer in endpoint_answers()
        if answer.instance == "segmentation_blk" and answer.path.startswith("blocks/") and answer.body
    ]
    recorded = [answer for answer in recorded if answer.status == 200]
    assert len(recorded) == 2
    async with recorded_server(tmp_path) as server:
        for answer in recorded:
            x, y, z = map(int, answer.path.split("/")[1].split("_"))
            ours = await server.get(f"/api/node/{ROOT}/segmentation_blk/{answer.path}")
            assert (joined(ours, 64, (x, y, z)) == joined(answer.body, 32, (x, y, z))).all()
