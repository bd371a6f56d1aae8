"""Segmentations with meshes, skeletons and properties beside them, and servers of these."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from cloudvolume import CloudVolume, Mesh

from tests.faulty.bucket import FaultyBucket, faulty_bucket
from tests.faulty.faults import BROKEN
from tests.faulty.site import limits_section, store_section
from tests.segments import draw_patch, encode_multilod, encode_skeleton, multilod_info, multilod_objects
from tests.serving import Server, config_text, serving

VERTICES = np.array([(80, 0, 40), (160, 0, 40), (240, 8, 80)], np.float32)
EDGES = np.array([(0, 1), (1, 2)], np.uint32)
PROPERTIES: Mapping[str, Any] = {
    "@type": "neuroglancer_segment_properties",
    "inline": {
        "ids": ["77", "5", "9007199254740993"],
        "properties": [
            {"id": "label", "type": "label", "values": ["Mi1", "Tm3", "big"]},
            {"id": "size", "type": "number", "data_type": "uint32", "values": [7, 50, 4000]},
            {"id": "tags", "type": "tags", "tags": ["a", "b"], "values": [[0], [0, 1], []]},
        ],
    },
}
SIDES: Mapping[str, str] = {"mesh": "mesh", "skeletons": "skeletons", "segment_properties": "properties"}


def volume_info(**sides: object) -> bytes:
    """The info of a segmentation of 8 nm without chunks, with *sides* beside it."""
    info = CloudVolume.create_new_info(
        1, "segmentation", "uint64", "raw", (8, 8, 8), (0, 0, 0), (640,) * 3, chunk_size=(64,) * 3
    )
    return json.dumps({**{key: value for key, value in info.items() if key != "mesh"}, **sides}).encode()


def legacy_objects(segment_id: int = 77, num_fragments: int = 3) -> dict[str, bytes]:
    """The objects of a directory of legacy meshes with one mesh."""
    names = [f"{segment_id}:0:{number}" for number in range(num_fragments)]
    objects = {"mesh/info": b'{"@type": "neuroglancer_legacy_mesh"}'}
    objects[f"mesh/{segment_id}:0"] = json.dumps({"fragments": names}).encode()
    for number, name in enumerate(names):
        vertices, faces = draw_patch(10, number)
        mesh = Mesh(vertices.astype(np.float32) + 0.25, faces, segid=None)
        objects[f"mesh/{name}"] = mesh.to_precomputed()
    return objects


def multilod_mesh_objects(*segment_ids: int, **changes: object) -> dict[str, bytes]:
    """The objects of a directory of multi-resolution meshes, of two levels each."""
    mesh = encode_multilod(
        [{(0, 0, 0): draw_patch(16, 1), (1, 2, 0): draw_patch(16, 2)}, {(0, 0, 0): draw_patch(16, 3, 3)}]
    )
    return multilod_objects(multilod_info(16, **changes), dict.fromkeys(segment_ids, mesh))


def segment_objects(meshes: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """The objects of a segmentation with everything beside it."""
    return {
        "info": volume_info(**SIDES),
        **(legacy_objects() if meshes is None else meshes),
        "skeletons/info": b'{"@type": "neuroglancer_skeletons"}',
        "skeletons/77": encode_skeleton(VERTICES, EDGES),
        "properties/info": json.dumps(PROPERTIES).encode(),
    }


def write_objects(directory: Path, objects: Mapping[str, bytes]) -> Path:
    """Write *objects* below *directory*."""
    for key, data in objects.items():
        path = directory / key
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(data)
    return directory


@asynccontextmanager
async def serving_objects(directory: Path, objects: Mapping[str, bytes]) -> AsyncIterator[Server]:
    """Serve a segmentation called seg from files."""
    write_objects(directory / "seg", objects)
    async with serving(config_text({"seg": directory / "seg"}), directory, {}) as server:
        yield server


@asynccontextmanager
async def serving_from_bucket(
    directory: Path, objects: Mapping[str, bytes], broken: str = ""
) -> AsyncIterator[tuple[Server, FaultyBucket]]:
    """Serve a segmentation called seg from a bucket, which fails for keys that match *broken*."""
    write_objects(directory / "bucket" / "seg", objects)
    async with faulty_bucket(directory / "bucket") as bucket:
        if broken:
            bucket.rule(broken, BROKEN)
        text = config_text({}, store_section("http", bucket, "seg") + limits_section())
        async with serving(text, directory, {}) as server:
            yield server, bucket
