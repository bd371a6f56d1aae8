"""Meshes of both formats, in every form; cloud-volume reads the same directories and says what is right."""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import DracoPy
import numpy as np
import pytest
from cloudvolume import CloudVolume, Mesh

from dvidpc.errors import FormatError, StoreError, TooLargeError
from dvidpc.formats.dvid.mesh_forms import MeshForm
from dvidpc.sources.precomputed.mesh_reader import MeshReader, open_meshes
from dvidpc.sources.precomputed.segment_tools import SegmentTools
from tests.segments import (
    SHARDING,
    MemoryStore,
    Placed,
    draw_patch,
    encode_multilod,
    multilod_info,
    multilod_objects,
    objects_below,
    segment_tools,
)

NGMESH, OBJ, DRACO = MeshForm
BIG = 2**63 + 7
SHEAR = [16, 2, 0, 100.5, 0, 16, 0, -7, 1, 0, 40, 12345]


def write_mesh_volume(directory: Path, objects: Mapping[str, bytes]) -> CloudVolume:
    info = CloudVolume.create_new_info(
        1, "segmentation", "uint64", "raw", (8, 8, 8), (64, 64, 64), (640,) * 3
    )
    for key, data in objects.items():
        path = directory / key
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(data)
    (directory / "info").write_text(json.dumps(info | {"mesh": "mesh"}))
    return CloudVolume(f"file://{directory}", progress=False)


async def read_ngmesh(reader: MeshReader, segment_id: int, lod: int | None = None) -> Mesh:
    found = await reader.read_mesh(segment_id, NGMESH, lod)
    assert found is not None
    return Mesh.from_precomputed(found.data)


def draw_lods(bits: int) -> list[Placed]:
    nodes = [(0, 0, 0), (3, 0, 0), (1, 2, 5)]
    fine: dict[tuple[int, int, int], Any] = {node: draw_patch(bits, seed) for seed, node in enumerate(nodes)}
    return [fine | {(7, 7, 7): None}, {(0, 0, 0): draw_patch(bits, 9, 3), (0, 1, 2): None}, {}]


@pytest.mark.parametrize("bits", [10, 16])
@pytest.mark.parametrize(
    "sharding", [None, SHARDING, {**SHARDING, "data_encoding": "raw", "hash": "identity"}]
)
@pytest.mark.parametrize("transform", [multilod_info()["transform"], SHEAR])
async def test_multilod_meshes_are_those_of_cloud_volume(
    bits: int, sharding: Mapping[str, Any] | None, transform: list[float], tmp_path: Path
) -> None:
    info = multilod_info(bits, transform=transform) | ({"sharding": dict(sharding)} if sharding else {})
    mesh = encode_multilod(
        draw_lods(bits),
        chunk_shape=(100, 50.5, 25),
        grid_origin=(-1000, 20000.25, 3),
        vertex_offsets=[(0.5, 0, 0), (1, 2, 3), (0, 0, 0)],
    )
    objects = multilod_objects(info, {7: mesh, 8: mesh, 2**40 + 1: mesh})
    truth = write_mesh_volume(tmp_path, objects)
    with segment_tools() as tools:
        reader = await open_meshes(MemoryStore(objects), "mesh", tools)
        for segment_id in (7, 2**40 + 1):
            for lod in (0, 1):
                expected = truth.mesh.get(segment_id, lod=lod)[segment_id]
                found = await read_ngmesh(reader, segment_id, lod)
                assert np.abs(found.vertices - expected.vertices).max() < 1e-3 * 40
                assert (found.faces == expected.faces).all()
            assert await reader.has_mesh(segment_id)
            assert await reader.read_mesh(segment_id, NGMESH, 2) is None
            assert await reader.read_mesh(segment_id, NGMESH, 3) is None
        assert await reader.read_mesh(9, NGMESH) is None
        assert not await reader.has_mesh(9)


async def test_a_cube_lies_where_its_voxels_do() -> None:
    """Voxels (96..128, 96..128, 96..128) of 8 nm: its corners are known without any other reader."""
    corners = np.array([(x, y, z) for z in (0, 1023) for y in (0, 1023) for x in (0, 1023)], np.uint32)
    faces = np.array([(0, 1, 3), (0, 3, 2), (4, 7, 5), (4, 6, 7), (0, 5, 1), (0, 4, 5)], np.uint32)
    mesh = encode_multilod([{(3, 3, 3): (corners, faces)}], chunk_shape=(32, 32, 32))
    objects = multilod_objects(multilod_info(10, transform=[8, 0, 0, 0, 0, 8, 0, 0, 0, 0, 8, 0]), {1: mesh})
    with segment_tools() as tools:
        reader = await open_meshes(MemoryStore(objects), "mesh", tools)
        found = await read_ngmesh(reader, 1)
        assert {tuple(each) for each in found.vertices} == {
            (x, y, z) for x in (768, 1024) for y in (768, 1024) for z in (768, 1024)
        }
        obj = await reader.read_mesh(1, OBJ)
        drc = await reader.read_mesh(1, DRACO)
        assert obj is not None
        assert drc is not None
        for voxels in (Mesh.from_obj(obj.data).vertices, DracoPy.decode(drc.data).points):
            assert np.allclose(sorted(voxels.tolist()), sorted((found.vertices / 8).tolist()), atol=1 / 16)


async def test_a_mirroring_transform_keeps_surfaces_outside_out() -> None:
    mesh = encode_multilod([{(0, 0, 0): draw_patch(10, 1)}])
    plain, mirrored = (
        multilod_objects(multilod_info(10, transform=[x, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]), {1: mesh})
        for x in (1, -1)
    )
    with segment_tools() as tools:
        first, second = [
            await read_ngmesh(await open_meshes(MemoryStore(objects), "mesh", tools), 1)
            for objects in (plain, mirrored)
        ]
    assert (first.vertices * (-1, 1, 1) == second.vertices).all()
    assert (first.faces[:, ::-1] == second.faces).all()


async def test_the_finest_level_that_fits_is_chosen_before_anything_is_read() -> None:
    lods: list[Placed] = [
        {(x, 0, 0): draw_patch(16, x, 20) for x in range(8)},
        {(0, 0, 0): draw_patch(16, 0, 20)},
        {(0, 0, 0): draw_patch(16, 0, 4)},
    ]
    manifest, data = encode_multilod(lods)
    store = MemoryStore(multilod_objects(multilod_info(), {1: (manifest, data)}))
    with segment_tools(max_mesh=60_000) as tools:
        reader = await open_meshes(store, "mesh", tools)
        found = await reader.read_mesh(1, NGMESH)
        assert found is not None
        assert found.lod == 1
        assert [key for key, _ in store.asked] == ["mesh/info", "mesh/1.index", "mesh/1"]
        with pytest.raises(TooLargeError, match=r"segment 1 .* at level of detail 0"):
            await reader.read_mesh(1, NGMESH, 0)
        tiny = await open_meshes(store, "mesh", replace(tools, max_mesh=100))
        with pytest.raises(TooLargeError, match="at any level"):
            await tiny.read_mesh(1, NGMESH)
        assert await tiny.has_mesh(1)


async def test_a_mesh_that_is_larger_than_estimated_falls_to_a_coarser_level() -> None:
    grid = np.stack(np.meshgrid(np.arange(60), np.arange(60), indexing="ij"), -1).reshape(-1, 2)
    flat = np.concatenate([grid, np.zeros((3600, 1), int)], 1).astype(np.uint32)
    _, faces = draw_patch(10, 0, 60)
    lods: list[Placed] = [{(0, 0, 0): (flat, faces)}, {(0, 0, 0): draw_patch(10, 0, 3)}]
    manifest, data = encode_multilod(lods)
    store = MemoryStore(multilod_objects(multilod_info(10), {1: (manifest, data)}))
    with segment_tools(max_mesh=100_000) as tools:
        found = await (await open_meshes(store, "mesh", tools)).read_mesh(1, NGMESH)
    assert len(data) * 12 < 100_000 < 12 * (len(flat) + len(faces))
    assert found is not None
    assert found.lod == 1


@pytest.mark.parametrize("with_info", [True, False])
async def test_legacy_meshes_are_those_of_cloud_volume(with_info: object, tmp_path: Path) -> None:
    truth = write_mesh_volume(tmp_path, {"mesh/info": b'{"@type": "neuroglancer_legacy_mesh"}'})
    parts = [draw_patch(10, seed) for seed in range(3)]
    for number, (vertices, faces) in enumerate(parts):
        mesh = Mesh(vertices.astype(np.float32) + 0.25, faces, segid=None)
        (tmp_path / "mesh" / f"77:0:{number}").write_bytes(mesh.to_precomputed())
    names = [f"77:0:{number}" for number in range(3)]
    (tmp_path / "mesh" / "77:0").write_text(json.dumps({"fragments": names}))
    (tmp_path / "mesh" / f"{BIG}:0").write_text(json.dumps({"fragments": names[:1]}))
    (tmp_path / "mesh" / "78:0").write_text('{"fragments": []}')
    objects = objects_below(tmp_path)
    if not with_info:
        del objects["mesh/info"]
    expected = truth.mesh.get(77, remove_duplicate_vertices=False)
    with segment_tools() as tools:
        reader = await open_meshes(MemoryStore(objects), "mesh", tools)
        found = await read_ngmesh(reader, 77)
        assert (found.vertices == expected.vertices).all()
        assert (found.faces == expected.faces).all()
        alone = await reader.read_mesh(BIG, NGMESH, 0)
        assert alone is not None
        assert alone.data == objects["mesh/77:0:0"]
        for missing in (78, 79):
            assert await reader.read_mesh(missing, NGMESH) is None
            assert not await reader.has_mesh(missing)
        assert await reader.read_mesh(77, NGMESH, 1) is None


async def test_64_fragments_cost_two_round_trips() -> None:
    vertices, faces = draw_patch(10, 1)
    fragment = Mesh(vertices.astype(np.float32), faces, segid=None).to_precomputed()
    names = [f"5:0:{number}" for number in range(64)]
    objects = {f"mesh/{name}": fragment for name in names}
    objects["mesh/5:0"] = json.dumps({"fragments": names}).encode()
    store = MemoryStore(objects, latency_s=0.03)
    with segment_tools() as tools:
        reader = await open_meshes(store, "mesh", tools)
        store.round_trips = 0
        found = await reader.read_mesh(5, NGMESH)
    assert found is not None
    assert len(found.data) == 4 + 64 * (len(fragment) - 4)
    assert store.round_trips == 2
    assert store.most_concurrent == 64


async def test_a_look_up_reads_no_fragment() -> None:
    mesh = encode_multilod(draw_lods(10))
    info = multilod_info(10, sharding=SHARDING)
    sharded = MemoryStore(multilod_objects(info, {1: mesh}))
    legacy = MemoryStore({"mesh/1:0": b'{"fragments": ["a"]}', "mesh/a": b""})
    unsharded = MemoryStore(multilod_objects(multilod_info(10), {1: mesh}))
    fragments = len(mesh[1])
    with segment_tools() as tools:
        for store in (sharded, legacy, unsharded):
            reader = await open_meshes(store, "mesh", tools)
            store.asked.clear()
            assert await reader.has_mesh(1)
            assert all(key not in {"mesh/a", "mesh/1"} for key, _ in store.asked)
            assert sum(where.size for _, where in store.asked if where is not None) < fragments
            assert len(store.asked) <= 3


async def test_a_broken_bucket_is_never_a_missing_mesh() -> None:
    stores = [
        MemoryStore(multilod_objects(multilod_info(10), {1: encode_multilod(draw_lods(10))})),
        MemoryStore({"mesh/1:0": b'{"fragments": ["a"]}'}),
    ]
    with segment_tools() as tools:
        for store in stores:
            reader = await open_meshes(store, "mesh", tools)
            store.broken = True
            for segment_id in (1, 2):
                with pytest.raises(StoreError):
                    await reader.read_mesh(segment_id, NGMESH)
                with pytest.raises(StoreError):
                    await reader.has_mesh(segment_id)


LEGACY_FAULTS = {
    "names memory://bucket/mesh/a, which does not exist": {"mesh/1:0": b'{"fragments": ["a"]}'},
    "mesh/1:0: is not JSON": {"mesh/1:0": b"<xml>"},
    "mesh/1:0: fragments is missing": {"mesh/1:0": b"{}"},
    "mesh/1:0: fragments is not a list": {"mesh/1:0": b'{"fragments": "a"}'},
    "mesh/1:0: leads out of the bucket": {"mesh/1:0": b'{"fragments": ["../../a"]}'},
    "mesh/1:0: fragments is '/a', not a relative path": {"mesh/1:0": b'{"fragments": ["/a"]}'},
    "fragment 'mesh/a': truncated mesh: 0 bytes": {"mesh/1:0": b'{"fragments": ["a"]}', "mesh/a": b""},
    "fragment 'mesh/a': triangle names vertex 5 of 0": {
        "mesh/1:0": b'{"fragments": ["a"]}',
        "mesh/a": bytes(4) + np.full(3, 5, "<u4").tobytes(),
    },
}


@pytest.mark.parametrize(("reason", "objects"), LEGACY_FAULTS.items())
async def test_what_is_wrong_with_a_legacy_mesh_names_the_object(
    reason: str, objects: Mapping[str, bytes]
) -> None:
    with segment_tools() as tools:
        reader = await open_meshes(MemoryStore(objects), "mesh", tools)
        with pytest.raises(FormatError) as caught:
            await reader.read_mesh(1, NGMESH)
    assert reason in str(caught.value)
    assert "memory://bucket/mesh/1:0" in str(caught.value)


async def test_a_legacy_mesh_beyond_the_limit_is_refused() -> None:
    objects = {"mesh/1:0": b'{"fragments": ["a", "a", "a"]}', "mesh/a": bytes(4)}
    with segment_tools(max_mesh=11) as tools:
        reader = await open_meshes(MemoryStore(objects), "mesh", tools)
        with pytest.raises(TooLargeError, match="segment 1 has more than 11 bytes"):
            await reader.read_mesh(1, NGMESH)


async def test_what_is_wrong_with_a_multilod_mesh_names_the_object() -> None:
    manifest, data = encode_multilod([{(0, 0, 0): draw_patch(10, 1)}])
    plain = multilod_objects(multilod_info(10), {1: (manifest, data)})
    sharded = multilod_objects(multilod_info(10, sharding=SHARDING), {1: (manifest, b"")})
    out_of_range = encode_multilod([{(0, 0, 0): draw_patch(16, 1)}])
    cases = {
        "mesh/1.index: truncated mesh manifest": plain | {"mesh/1.index": b"xx"},
        "mesh/1.index: mesh manifest has": plain | {"mesh/1.index": manifest + b"x"},
        "mesh/1.index belongs to memory://bucket/mesh/1, which does not exist": {
            key: value for key, value in plain.items() if key != "mesh/1"
        },
        "mesh/1 ends before": plain | {"mesh/1": data[:-1]},
        "mesh/1 id 1: malformed Draco mesh": plain | {"mesh/1": bytes(len(data))},
        "mesh fragment has vertex coordinate 65535, more than 1023": multilod_objects(
            multilod_info(10), {1: out_of_range}
        ),
        "bytes of fragments before it": sharded,
    }
    with segment_tools() as tools:
        for reason, objects in cases.items():
            fresh = replace(tools, indexes=tools.documents)
            fresh.indexes.clear()
            reader = await open_meshes(MemoryStore(objects), "mesh", fresh)
            with pytest.raises(FormatError) as caught:
                await reader.read_mesh(1, NGMESH)
            assert reason in str(caught.value), caught.value


async def test_a_malformed_info_names_the_key() -> None:
    faults: Mapping[str, Mapping[str, object]] = {
        "@type is 'nonsense'": {"@type": "nonsense"},
        "vertex_quantization_bits is 11, not 10 or 16": {"vertex_quantization_bits": 11},
        "lod_scale_multiplier is 0, not a positive number": {"lod_scale_multiplier": 0},
        "transform is not a list of 12 numbers": {"transform": [1, 2]},
        "transform holds something other": {"transform": [1] * 11 + ["x"]},
        "sharding @type is 'x'": {"sharding": {"@type": "x"}},
    }
    with segment_tools() as tools:
        for reason, change in faults.items():
            data = json.dumps({**multilod_info(), **change}).encode()
            with pytest.raises(FormatError) as caught:
                await open_meshes(MemoryStore({"mesh/info": data}), "mesh", tools)
            assert f"memory://bucket/mesh/info: {reason}" in str(caught.value)


async def test_a_replaced_shard_is_read_once_more() -> None:
    info = multilod_info(10, sharding=SHARDING)
    first, second = (encode_multilod([{(0, 0, 0): draw_patch(10, seed)}]) for seed in (1, 2))
    store = MemoryStore(multilod_objects(info, {1: first}))
    with segment_tools() as tools:
        reader = await open_meshes(store, "mesh", tools)
        before = await read_ngmesh(reader, 1)
        store.objects.update(multilod_objects(info, {1: second, 3: first}))
        after = await read_ngmesh(reader, 1)
        assert (before.vertices != after.vertices).any()
        for key in list(store.objects):
            del store.objects[key]
        assert await reader.read_mesh(1, NGMESH) is None


async def test_an_obj_has_no_exponents(tools: SegmentTools) -> None:
    fragment = Mesh(
        np.array([(1e-7, 1e9, -0.5), (0, 0, 0), (8, 8, 8)], np.float32),
        np.array([(0, 1, 2)], np.uint32),
        None,
    )
    store = MemoryStore({"1:0": b'{"fragments": ["a"]}', "a": fragment.to_precomputed()})
    found = await (await open_meshes(store, "", tools)).read_mesh(1, OBJ)
    assert found is not None
    lines = io.StringIO(found.data.decode()).read().splitlines()
    assert lines[0] == "v 0.0000 125000000.0000 -0.0625"
    assert lines[-1] == "f 1 2 3"


@pytest.fixture
def tools() -> Iterator[SegmentTools]:
    with segment_tools() as tools:
        yield tools
