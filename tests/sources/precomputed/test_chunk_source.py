"""The largest legal chunks are read and served, whatever the encoding and however narrow the chunk."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.encoders import COMBINATIONS, ENCODERS, LABEL_BLOCK
from tests.formats.codec.test_encoded_size import noise
from tests.serving import config_text, serving
from tests.volumes import XYZ

SIZES: list[XYZ] = [(2, 64, 64), (64, 1, 64)]
ONE_EACH = {encoding: (data_type, channels) for encoding, data_type, channels in COMBINATIONS}


@pytest.mark.parametrize("encoding", ENCODERS)
@pytest.mark.parametrize("size", SIZES)
async def test_a_narrow_chunk_of_noise_is_served(encoding: str, size: XYZ, tmp_path: Path) -> None:
    data_type = ONE_EACH[encoding][0]
    voxels = noise(size, data_type, 1)
    scale = {
        "key": "s0",
        "resolution": [8, 8, 8],
        "size": size,
        "chunk_sizes": [size],
        "encoding": encoding,
        "compressed_segmentation_block_size": LABEL_BLOCK,
    }
    info = {"type": "image", "data_type": data_type, "num_channels": 1, "scales": [scale]}
    (tmp_path / "em/s0").mkdir(parents=True)
    (tmp_path / "em/info").write_text(json.dumps(info))
    name = "_".join(f"0-{n}" for n in size)
    (tmp_path / "em/s0" / name).write_bytes(ENCODERS[encoding](voxels))
    async with serving(config_text({"em": tmp_path / "em"}), tmp_path) as server:
        path = f"{server.node}/em/raw/0_1_2/{'_'.join(map(str, size))}/0_0_0"
        body = await server.get(path)
    served = np.frombuffer(body, data_type).reshape(size[::-1]).T
    if encoding not in {"jpeg", "kempressed"}:  # these two lose something
        assert (served == voxels[..., 0]).all()
