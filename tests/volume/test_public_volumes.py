"""Volumes with the `info` of public data sets are served correctly up to their far corners."""

import json
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import compressed_segmentation
import numpy as np
import pytest
import tensorstore as ts
from cloudvolume.datasource.precomputed.common import compressed_morton_code

from dvidpc.storage.content_encoding import decode_content
from tests.blockstream import parse_stream
from tests.encoders import ENCODERS, Voxels, draw_voxels
from tests.serving import Server, config_text, serving
from tests.volumes import expected_box

PUBLIC = Path(__file__).parents[1] / "recorded" / "public"
NAMES = sorted(path.name for path in PUBLIC.iterdir() if path.is_dir())
SIDE = 64

XYZ = tuple[int, int, int]


def load_info(name: str) -> dict[str, Any]:
    packed = PUBLIC / name / "info.gz"
    if packed.exists():
        data = decode_content(packed.read_bytes(), "gzip", max_size=2**20)
    else:
        data = (PUBLIC / name / "info").read_bytes()
    info: dict[str, Any] = json.loads(data)
    return info


def test_there_are_thirteen_data_sets() -> None:
    assert len(NAMES) == 13


@pytest.mark.parametrize("name", NAMES)
async def test_far_blocks_of_every_scale_are_right(name: str, tmp_path: Path) -> None:
    """Segmentations are served as images here: their extents, shards and codecs ask the same of a reader."""
    volume = tmp_path / name
    shutil.copytree(PUBLIC / name, volume)
    info = load_info(name)
    if info["type"] == "segmentation":
        (volume / "info").write_text(json.dumps(info | {"type": "image"}))
    truths = [write_far_chunks(volume, info, scale) for scale in info["scales"]]
    async with serving(config_text({"em": volume}), tmp_path) as server:
        for level, chunks in enumerate(truths):
            for offset, voxels in chunks:
                for channel in range(info["num_channels"]):
                    instance = "em" + (f"_c{channel}" if channel else "") + (f"_{level}" if level else "")
                    await check_corners(server, instance, offset, voxels[..., [channel]], info, level)


SEGMENTATIONS = [name for name in NAMES if load_info(name)["type"] == "segmentation"]
GRAPHENE = [name for name in SEGMENTATIONS if "app" in load_info(name)]


@pytest.mark.parametrize("name", [name for name in SEGMENTATIONS if name not in GRAPHENE])
async def test_a_segmentation_is_a_labelmap_with_its_far_labels(name: str, tmp_path: Path) -> None:
    volume = tmp_path / name
    shutil.copytree(PUBLIC / name, volume)
    info = load_info(name)
    chunks = write_far_chunks(volume, info, info["scales"][0])
    async with serving(config_text({"seg": volume}), tmp_path) as server:
        document = json.loads(await server.get(f"{server.node}/seg/info"))
        assert document["Base"]["TypeName"] == "labelmap"
        assert document["Extended"]["MaxDownresLevel"] == max(1, len(info["scales"]) - 1)
        for (x, y, z), voxels in chunks:
            label = json.loads(await server.get(f"{server.node}/seg/label/{x + 1}_{y}_{z}"))
            assert label == {"Label": int(voxels[1, 0, 0, 0])}


@pytest.mark.parametrize("name", GRAPHENE)
async def test_a_graphene_volume_is_refused_in_one_line(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(config_text({"em": PUBLIC / name, "fib": PUBLIC / "fib-25"}), tmp_path) as server:
        await server.get(f"{server.node}/fib/info")
        assert (await server.error(f"{server.node}/em/info"))[0] == 400
    lines = [record.getMessage() for record in caplog.records if "em is not served" in record.getMessage()]
    assert len(lines) == 1
    assert "a graphene volume" in lines[0]


def write_far_chunks(
    volume: Path, info: Mapping[str, Any], scale: Mapping[str, Any]
) -> list[tuple[XYZ, Voxels]]:
    """Store the last chunk and one in the middle: where each begins, and its voxels `[x, y, z, c]`."""
    size, chunk_size = np.array(scale["size"]), np.array(scale["chunk_sizes"][0])
    origin = np.array(scale.get("voxel_offset", [0, 0, 0]))
    grid = -(-size // chunk_size)
    directory = volume / scale["key"]
    directory.mkdir()
    stored = []
    for number, cell in enumerate({tuple(grid - 1), tuple(grid // 3)}):
        start = np.array(cell) * chunk_size
        stop = np.minimum(start + chunk_size, size)
        x, y, z = (int(n) for n in stop - start)
        voxels = draw_voxels((x, y, z), info["data_type"], info["num_channels"], number)
        data = ENCODERS[scale["encoding"]](voxels) if "16, 16, 2" not in str(scale) else encode_flat(voxels)
        if "sharding" in scale:
            put_in_shard(
                directory, scale["sharding"], int(compressed_morton_code(np.array(cell), grid)), data
            )
        else:
            spans = zip(start + origin, stop + origin, strict=True)
            (directory / "_".join(f"{a}-{b}" for a, b in spans)).write_bytes(data)
        first = start + origin
        stored.append(((int(first[0]), int(first[1]), int(first[2])), voxels))
    return stored


def encode_flat(voxels: Voxels) -> bytes:
    """compressed_segmentation in blocks of 16 x 16 x 2."""
    flat = np.asfortranarray(voxels[..., 0])
    return bytes(compressed_segmentation.compress(flat, block_size=(16, 16, 2), order="F"))


def put_in_shard(directory: Path, sharding: Mapping[str, Any], chunk_id: int, data: bytes) -> None:
    base = {"driver": "file", "path": f"{directory}/"}
    shards = ts.KvStore.open(
        {"driver": "neuroglancer_uint64_sharded", "base": base, "metadata": dict(sharding)}
    ).result()
    shards.write(struct.pack(">Q", chunk_id), data).result()


async def check_corners(
    server: Server, instance: str, offset: XYZ, voxels: Voxels, info: Mapping[str, Any], level: int
) -> None:
    """The blocks at both ends of a chunk are right; those far outside of the volume are absent."""
    last = [o + n - 1 for o, n in zip(offset, voxels.shape[:3], strict=True)]
    ends = {tuple(o // SIDE for o in offset), tuple(o // SIDE for o in last)}
    outside = [o // SIDE + 2 for o in np.add(info["scales"][level]["size"], offset)]
    query = ",".join(str(int(n)) for block in [*sorted(ends), outside] for n in block)
    path = f"{server.node}/{instance}/specificblocks?blocks={query}&compression=uncompressed"
    frames = parse_stream(await server.get(path))
    assert [block for block, _ in frames] == sorted(ends)
    tolerance = 4 if info["scales"][level]["encoding"] == "jpeg" else 0
    for (x, y, z), payload in frames:
        expected = expected_box(voxels, offset, (x * SIDE, y * SIDE, z * SIDE), (SIDE, SIDE, SIDE))[..., 0]
        ours = np.frombuffer(payload, info["data_type"]).reshape(SIDE, SIDE, SIDE).T
        known = expected != 0
        assert known.any()
        assert np.abs(ours[known].astype(float) - expected[known].astype(float)).max() <= tolerance
