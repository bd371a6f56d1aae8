"""`rawkey` names the objects and bytes of the chunks of a block."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.cutouts import grey_box, serving_volume
from tests.volumes import VolumeSpec, expected_box, sharding


@pytest.mark.parametrize(
    "spec",
    [
        VolumeSpec(encoding="jpeg"),
        VolumeSpec(encoding="jpeg", sharding=sharding()),
        VolumeSpec(chunk_size=(40, 50, 30), offset=(-10, 3, 7), sharding=sharding()),
    ],
)
async def test_rawkey_names_object_and_bytes_of_every_chunk_of_a_block(
    spec: VolumeSpec, tmp_path: Path
) -> None:
    async with serving_volume(spec, tmp_path) as (server, [truth]):
        found = json.loads(await server.get(f"{server.node}/em/rawkey?x=1&y=0&z=0"))
        assert found["Block"] == [1, 0, 0]
        covered = np.zeros(64**3, bool).reshape(64, 64, 64)
        for chunk in found["Chunks"]:
            data = Path(chunk["Object"].removeprefix("file://")).read_bytes()
            if chunk["Size"] is not None:
                data = data[chunk["Offset"] :][: chunk["Size"]]
            start, stop = chunk["MinPoint"], [last + 1 for last in chunk["MaxPoint"]]
            size = (stop[0] - start[0], stop[1] - start[1], stop[2] - start[2])
            ours = grey_box(data, size) if spec.encoding == "jpeg" else np.frombuffer(data, np.uint8)
            expected = expected_box(truth, spec.offset, (start[0], start[1], start[2]), size)[..., 0]
            assert np.abs(ours.reshape(size, order="F").astype(int) - expected).max() <= 2
            covered[
                tuple(slice(max(a - b, 0), c - b) for a, b, c in zip(start, (64, 0, 0), stop, strict=True))
            ] = True
        assert covered[
            : spec.size[0] + spec.offset[0] - 64, max(0, spec.offset[1]) :, max(0, spec.offset[2]) :
        ].all()


async def test_rawkey_omits_chunks_that_a_shard_does_not_hold(tmp_path: Path) -> None:
    spec = VolumeSpec(sharding=sharding(), holes=((0, 0, 0),))
    async with serving_volume(spec, tmp_path) as (server, _):
        for block in ("x=0&y=0&z=0", "x=-1&y=0&z=0", "x=9&y=0&z=0"):
            assert json.loads(await server.get(f"{server.node}/em/rawkey?{block}"))["Chunks"] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("rawkey", 'strconv.Atoi: parsing "": invalid syntax'),
        ("rawkey?x=0&y=0&z=a", 'strconv.Atoi: parsing "a": invalid syntax'),
        ("rawkey/1?x=0&y=0&z=0", "rawkey endpoint should be followed by query strings (x, y, and z)"),
    ],
)
async def test_a_malformed_rawkey_is_refused(path: str, text: str, tmp_path: Path) -> None:
    async with serving_volume(VolumeSpec(size=(20, 20, 20)), tmp_path) as (server, _):
        status, body = await server.error(f"{server.node}/em/{path}")
        assert status == 400
        assert body.startswith(text)
