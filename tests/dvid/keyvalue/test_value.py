"""Meshes and skeletons through HTTP: cloud-volume's own reading, missing ones, and buckets that fail."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import DracoPy
import numpy as np
import pytest
from cloudvolume import CloudVolume, Mesh

from tests.companions import (
    EDGES,
    SIDES,
    VERTICES,
    legacy_objects,
    multilod_mesh_objects,
    segment_objects,
    serving_from_bucket,
    serving_objects,
    volume_info,
    write_objects,
)
from tests.segments import SHARDING
from tests.serving import Server, config_text, serving
from tests.waiting import soon

SWC_LINE = re.compile(
    rb"(\d+) (\d+) (-?\d*(?:\.\d+)?) (-?\d*(?:\.\d+)?) (-?\d*(?:\.\d+)?) (\d*(?:\.\d+)?) (-1|\d+)"
)
"""Roughly neuroglancer's pattern: other lines are dropped without a word."""


def seg(server: Server, path: str) -> str:
    return f"{server.node}/seg_{path}"


async def status_of(server: Server, path: str, method: str = "GET") -> int:
    async with server.ask(method, seg(server, path), {"User-Agent": "test"}) as answer:
        return answer.status


@pytest.mark.parametrize(
    "meshes",
    [
        legacy_objects(),
        multilod_mesh_objects(77),
        multilod_mesh_objects(77, sharding=dict(SHARDING), transform=[8, 0, 0, 5, 0, 8, 0, 0, 0, 0, 40, 0]),
    ],
    ids=["legacy", "multilod", "sharded"],
)
async def test_meshes_are_those_of_cloud_volume(meshes: Mapping[str, bytes], tmp_path: Path) -> None:
    objects = segment_objects(meshes)
    async with serving_objects(tmp_path, objects) as server:
        ngmesh = await server.get(seg(server, "meshes/key/77.ngmesh"))
        obj = await server.get(seg(server, "meshes/key/77.obj"))
        drc = await server.get(seg(server, "meshes/key/77.drc"))
    truth = CloudVolume(f"file://{write_objects(tmp_path / 'truth', objects)}", progress=False)
    options: dict[str, Any] = {"remove_duplicate_vertices": False} if "mesh/77:0" in meshes else {}
    expected = truth.mesh.get(77, **options)
    expected = expected[77] if isinstance(expected, dict) else expected
    found = Mesh.from_precomputed(ngmesh)
    assert np.allclose(found.vertices, expected.vertices, atol=1e-2)
    assert (found.faces == expected.faces).all()
    voxels = found.vertices / 8
    assert np.allclose(Mesh.from_obj(obj).vertices, voxels, atol=1e-3)
    assert len(DracoPy.decode(drc).points)
    assert np.allclose(DracoPy.decode(drc).points.max(0), voxels.max(0), atol=1)


async def test_a_key_can_name_a_level_of_detail(tmp_path: Path) -> None:
    async with serving_objects(tmp_path, segment_objects(multilod_mesh_objects(77))) as server:
        finest = await server.get(seg(server, "meshes/key/77.ngmesh"))
        assert await server.get(seg(server, "meshes/key/77_0.ngmesh")) == finest
        async with server.ask("GET", seg(server, "meshes/key/77_1.ngmesh")) as answer:
            assert len(await answer.read()) < len(finest)
            assert answer.headers["X-Mesh-Lod"] == "1"
        assert await status_of(server, "meshes/key/77_2.ngmesh") == 404


async def test_skeletons_are_swc_in_voxels_that_neuroglancer_reads(tmp_path: Path) -> None:
    async with serving_objects(tmp_path, segment_objects()) as server:
        swc = await server.get(seg(server, "skeletons/key/77_swc"))
    lines = [line for line in swc.splitlines() if not line.startswith(b"#")]
    matches = [SWC_LINE.fullmatch(line) for line in lines]
    rows = [[float(number) for number in match.groups()] for match in matches if match]
    assert len(rows) == len(lines) == len(VERTICES)
    assert np.allclose([row[2:5] for row in rows], VERTICES / 8)
    assert {(row[6] - 1, row[0] - 1) for row in rows if row[6] > 0} == {
        tuple(edge) for edge in EDGES.tolist()
    }


@pytest.mark.parametrize(
    "path",
    [
        "meshes/key/78.ngmesh",
        "meshes/key/77",
        "meshes/key/77.merge",
        "meshes/key/077.ngmesh",
        "meshes/key/77_swc",
        "meshes/key/18446744073709551616.ngmesh",
        "meshes/key/-1.ngmesh",
        "skeletons/key/78_swc",
        "skeletons/key/77_1_swc",
        "skeletons/key/77.ngmesh",
        "annotations/key/78",
    ],
)
async def test_what_does_not_exist_is_404(path: str, tmp_path: Path) -> None:
    async with serving_objects(tmp_path, segment_objects()) as server:
        assert await status_of(server, path) == 404
        assert await status_of(server, path, "HEAD") == 404


async def test_head_reads_no_fragment(tmp_path: Path) -> None:
    async with serving_from_bucket(tmp_path, segment_objects()) as (server, bucket):
        assert await status_of(server, "meshes/key/77.ngmesh", "HEAD") == 200
        assert await status_of(server, "skeletons/key/77_swc", "HEAD") == 200
        keys = [asked.key for asked in bucket.asked]
        assert "seg/mesh/77:0" in keys
        assert not [key for key in keys if key.startswith("seg/mesh/77:0:")]


async def test_parts_and_tags_of_a_mesh_are_sent(tmp_path: Path) -> None:
    async with serving_objects(tmp_path, segment_objects()) as server:
        path = seg(server, "meshes/key/77.ngmesh")
        whole = await server.get(path)
        async with server.ask("GET", path, {"Range": "bytes=4-15"}) as answer:
            assert (answer.status, await answer.read()) == (206, whole[4:16])
            assert answer.headers["Content-Range"] == f"bytes 4-15/{len(whole)}"
        assert await server.get(f"{path}?byte_start=4&byte_end=15") == whole[4:16]
        async with server.ask("GET", path, {"User-Agent": "browser"}) as answer:
            etag = answer.headers["ETag"]
            assert answer.headers["Content-Type"] == "application/octet-stream"
        async with server.ask("GET", path, {"If-None-Match": etag}) as answer:
            assert answer.status == 304


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("seg/mesh/info", "meshes/key/77.ngmesh"),
        ("seg/mesh/77:0", "meshes/key/77.ngmesh"),
        ("seg/mesh/77:0:1", "meshes/key/77.ngmesh"),
        ("seg/skeletons/info", "skeletons/key/77_swc"),
        ("seg/skeletons/77", "skeletons/key/77_swc"),
        ("seg/properties/info", "annotations/key/77"),
    ],
)
async def test_a_bucket_that_fails_is_503_until_it_answers(pattern: str, path: str, tmp_path: Path) -> None:
    async with serving_from_bucket(tmp_path, segment_objects(), pattern) as (server, bucket):
        for _ in range(2):
            assert await status_of(server, path) == 503
        bucket.heal_rules()
        assert await status_of(server, path) == 200


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("mesh/info", "meshes/key/77.ngmesh"),
        ("mesh/77:0", "meshes/key/77.ngmesh"),
        ("mesh/77:0:1", "meshes/key/77.ngmesh"),
        ("skeletons/info", "skeletons/key/77_swc"),
        ("skeletons/77", "skeletons/key/77_swc"),
        ("properties/info", "annotations/key/77"),
    ],
)
async def test_damage_is_502_and_costs_nothing_else(key: str, path: str, tmp_path: Path) -> None:
    damaged = segment_objects() | {key: b"\xff\xff\xff\xff<Error>"}
    others = {"meshes/key/77.ngmesh", "skeletons/key/77_swc", "annotations/key/77"} - {path}
    async with serving_objects(tmp_path, damaged) as server:
        assert await status_of(server, path) == 502
        for other in others:
            assert await status_of(server, other) == 200
        assert json.loads(await server.get(f"{server.node}/seg/info"))["Base"]["TypeName"] == "labelmap"


async def test_directories_that_do_not_exist_cost_nothing_else(tmp_path: Path) -> None:
    async with serving_objects(tmp_path, {"info": volume_info(**SIDES)}) as server:
        assert await status_of(server, "meshes/key/77.ngmesh") == 404
        assert await status_of(server, "skeletons/key/77_swc") == 502
        assert await status_of(server, "annotations/all") == 502
        instances = json.loads(await server.get("/api/repos/info")).popitem()[1]["DataInstances"]
        assert {name: each["Base"]["TypeName"] for name, each in instances.items()} == {
            "seg": "labelmap",
            "seg_meshes": "keyvalue",
            "seg_skeletons": "keyvalue",
            "seg_annotations": "neuronjson",
        }


async def test_a_mesh_directory_that_becomes_readable_is_read(tmp_path: Path) -> None:
    good = segment_objects()
    async with serving_objects(tmp_path, good | {"mesh/info": b"{"}) as server:
        assert await status_of(server, "meshes/key/77.ngmesh") == 502
        write_objects(tmp_path / "seg", good)
        assert await status_of(server, "meshes/key/77.ngmesh") == 200


@pytest.mark.parametrize("where", [5, "/etc", "../../../outside", "gs://other/mesh"])
async def test_a_directory_outside_of_the_volume_is_named_and_left_out(
    where: object, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    objects = segment_objects() | {"info": volume_info(**{**SIDES, "mesh": where})}
    async with serving_objects(tmp_path, objects) as server:
        assert await status_of(server, "meshes/key/77.ngmesh") == 400
        assert await status_of(server, "skeletons/key/77_swc") == 200
    assert "no meshes are served: mesh" in caplog.text


async def test_a_mesh_that_is_too_large_is_served_at_a_coarser_level(tmp_path: Path) -> None:
    write_objects(tmp_path / "seg", segment_objects(multilod_mesh_objects(77)))
    text = config_text({"seg": tmp_path / "seg"}, "[limits]\nmax_mesh = 2000\n")
    async with serving(text, tmp_path, {}) as server:
        async with server.ask("GET", seg(server, "meshes/key/77.ngmesh")) as answer:
            assert (answer.status, answer.headers["X-Mesh-Lod"]) == (200, "1")
        assert await status_of(server, "meshes/key/77_0.ngmesh") == 413


async def test_documents_are_read_before_they_are_needed(tmp_path: Path) -> None:
    async with serving_from_bucket(tmp_path, segment_objects()) as (server, bucket):
        await soon(lambda: {"seg/mesh/info", "seg/skeletons/info"} <= set(bucket.counts))
        before = dict(bucket.counts)
        await server.get(seg(server, "meshes/key/77.ngmesh"))
        await server.get(seg(server, "skeletons/key/77_swc"))
        asked = set(bucket.counts) - set(before)
        assert asked == {"seg/mesh/77:0", *(f"seg/mesh/77:0:{n}" for n in range(3)), "seg/skeletons/77"}
        assert bucket.counts["seg/mesh/info"] == bucket.counts["seg/skeletons/info"] == 1


async def test_broken_documents_are_left_to_the_first_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    objects = {**segment_objects(), "mesh/info": b"{", "skeletons/info": b"[]"}
    async with serving_from_bucket(tmp_path, objects) as (server, bucket):
        await soon(lambda: {"seg/mesh/info", "seg/skeletons/info"} <= set(bucket.counts))
        assert not [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]
        assert await status_of(server, "meshes/key/77.ngmesh") == 502
        assert await status_of(server, "skeletons/key/77_swc") == 502
        assert await status_of(server, "annotations/key/77") == 200
