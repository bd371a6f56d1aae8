"""Skeletons as SWC: what cloud-volume wrote comes back, in voxels, in lines that neuroglancer reads."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cloudvolume import CloudVolume, Skeleton

from dvidpc.errors import FormatError, StoreError
from dvidpc.sources.precomputed.skeleton_reader import SkeletonReader, open_skeletons
from tests.segments import RECORDED, SHARDING, MemoryStore, encode_skeleton, objects_below, segment_tools

VERTICES = np.array([(80, 0, 40), (160, 0, 40), (240, 8, 80), (1e-6, -4, 0)], np.float32)
EDGES = np.array([(0, 1), (2, 1)], np.uint32)
INFO: dict[str, Any] = {"@type": "neuroglancer_skeletons"}
RADIUS = {"id": "radius", "data_type": "float32", "num_components": 1}


async def read_rows(
    store: MemoryStore, segment_id: int = 1, directory: str = "skeletons"
) -> list[list[float]]:
    with segment_tools((8, 8, 40)) as tools:
        reader = await open_skeletons(store, directory, tools)
        swc = await reader.read_swc(segment_id)
    assert swc is not None
    return [[float(each) for each in line.split()] for line in swc.decode().splitlines() if line[0] != "#"]


def skeleton_store(data: bytes, info: dict[str, Any] = INFO) -> MemoryStore:
    return MemoryStore({"skeletons/info": json.dumps(info).encode(), "skeletons/1": data})


async def test_positions_are_voxels_and_parents_come_first() -> None:
    rows = await read_rows(skeleton_store(encode_skeleton(VERTICES, EDGES)))
    assert rows == [
        [1, 0, 10, 0, 1, 0, -1],
        [2, 0, 20, 0, 1, 0, 1],
        [3, 0, 30, 1, 2, 0, 2],
        [4, 0, 0, -0.5, 0, 0, -1],
    ]


async def test_transform_radius_and_type_are_applied() -> None:
    info = INFO | {
        "transform": [2, 0, 0, 8, 0, 2, 0, 0, 0, 0, 2, -40],
        "vertex_attributes": [
            {"id": "offset", "data_type": "int16", "num_components": 3},
            RADIUS,
            {"id": "vertex_types", "data_type": "uint8", "num_components": 1},
        ],
    }
    attributes = (
        np.ones((4, 3), np.int16),
        np.array([4, 8, 0, -1], np.float32),
        np.array([1, 2, 3, 255], np.uint8),
    )
    rows = await read_rows(skeleton_store(encode_skeleton(VERTICES, EDGES, *attributes), info))
    assert [row[1:6] for row in rows[:3]] == [[1, 21, 0, 1, 1], [2, 41, 0, 1, 2], [3, 61, 2, 3, 0]]
    assert rows[3][1] == 255
    assert rows[3][5] == 0


@pytest.mark.parametrize("sharding", [None, SHARDING])
async def test_skeletons_are_those_that_cloud_volume_wrote(
    sharding: dict[str, Any] | None, tmp_path: Path
) -> None:
    info = CloudVolume.create_new_info(
        1, "segmentation", "uint64", "raw", (8, 8, 40), (0, 0, 0), (640,) * 3, skeletons="skeletons"
    )
    volume = CloudVolume(f"file://{tmp_path}", info=info, progress=False, compress=False)
    volume.commit_info()
    volume.skeleton.meta.info["vertex_attributes"] = [RADIUS]
    if sharding is not None:
        volume.skeleton.meta.info["sharding"] = sharding
    volume.skeleton.meta.commit_info()
    volume = CloudVolume(f"file://{tmp_path}", progress=False, compress=False)
    written = Skeleton(VERTICES, EDGES, radii=np.array([4, 8, 0, 2], np.float32), segid=2**63 + 7)
    if sharding is None:
        volume.skeleton.upload(written)
    else:
        spec = volume.skeleton.reader.spec
        for name, data in spec.synthesize_shards({2**63 + 7: written.to_precomputed()}).items():
            (tmp_path / "skeletons" / name).write_bytes(data)
    store = MemoryStore(unpack(objects_below(tmp_path)))
    expected = volume.skeleton.get(2**63 + 7)
    rows = await read_rows(store, 2**63 + 7)
    assert np.allclose([row[2:5] for row in rows], expected.vertices / (8, 8, 40), atol=1e-6)
    assert np.allclose([row[5] for row in rows], expected.radii / 8)


def unpack(objects: dict[str, bytes]) -> dict[str, bytes]:
    assert not any(key.endswith(".gz") for key in objects if "skeletons/" in key)
    return objects


async def test_no_skeleton_is_none_and_a_failure_is_not() -> None:
    store = skeleton_store(encode_skeleton(VERTICES[:0], EDGES[:0]))
    with segment_tools() as tools:
        reader = await open_skeletons(store, "skeletons", tools)
        assert await reader.read_swc(1) is None
        assert await reader.read_swc(2) is None
        assert not await reader.has_skeleton(2)
        assert await reader.has_skeleton(1)
        store.broken = True
        with pytest.raises(StoreError):
            await reader.read_swc(2)
        with pytest.raises(StoreError):
            await reader.has_skeleton(2)


@pytest.mark.parametrize("name", ["flyem-skeletons", "cloud-volume-skeletons"])
async def test_public_infos_are_read(name: str) -> None:
    with segment_tools() as tools:
        store = MemoryStore({"s/info": (RECORDED / name / "info").read_bytes()})
        assert isinstance(await open_skeletons(store, "s", tools), SkeletonReader)


FAULTS = {
    "info: @type is 'neuroglancer_mesh', not": (INFO | {"@type": "neuroglancer_mesh"}, b""),
    "info: vertex_attributes data_type is 'bool'": (
        INFO | {"vertex_attributes": [RADIUS | {"data_type": "bool"}]},
        b"",
    ),
    "info: vertex_attributes num_components is 0": (
        INFO | {"vertex_attributes": [RADIUS | {"num_components": 0}]},
        b"",
    ),
    "info: vertex_attributes holds the same id twice": (INFO | {"vertex_attributes": [RADIUS, RADIUS]}, b""),
    "info: vertex_attributes id is not a non-empty string": (
        INFO | {"vertex_attributes": [RADIUS | {"id": ""}]},
        b"",
    ),
    "info: transform is not": (INFO | {"transform": [1] * 16}, b""),
    "skeletons/1: truncated skeleton: 5 bytes": (INFO, b"12345"),
    "skeletons/1: truncated skeleton: 72 bytes for 4 vertices and 2 edges": (
        INFO | {"vertex_attributes": [RADIUS]},
        encode_skeleton(VERTICES, EDGES),
    ),
    "skeletons/1: skeleton edge names vertex 2 of 2": (INFO, encode_skeleton(VERTICES[:2], EDGES)),
    "skeletons/1: skeleton holds a position or radius that is not finite": (
        INFO,
        encode_skeleton(np.full((2, 3), np.nan, np.float32), EDGES[:1]),
    ),
}


@pytest.mark.parametrize(("reason", "case"), FAULTS.items())
async def test_what_is_malformed_names_the_object(reason: str, case: tuple[dict[str, Any], bytes]) -> None:
    info, data = case
    with pytest.raises(FormatError) as caught:
        await read_rows(skeleton_store(data, info))
    assert reason in str(caught.value)
    assert "memory://bucket/skeletons" in str(caught.value)


async def test_a_missing_info_is_an_error() -> None:
    with segment_tools() as tools, pytest.raises(FormatError, match="skeletons/info does not exist"):
        await open_skeletons(MemoryStore({}), "skeletons", tools)
