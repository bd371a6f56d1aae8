"""Many keys of meshes and skeletons at once: lists of keys, and values in each form."""

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.companions import (
    SIDES,
    legacy_objects,
    multilod_mesh_objects,
    segment_objects,
    serving_from_bucket,
    serving_objects,
    volume_info,
)
from tests.segments import SHARDING
from tests.serving import Server


async def body_of(server: Server, path: str, body: bytes = b"", status: int = 200) -> bytes:
    async with server.ask("GET", f"{server.node}/seg_{path}", None, body or None) as answer:
        found = await answer.read()
        assert answer.status == status, found[:300]
        return found


async def test_keys_are_those_of_the_segments_that_have_properties(tmp_path: Path) -> None:
    async with serving_objects(tmp_path, segment_objects()) as server:
        assert json.loads(await body_of(server, "skeletons/keys")) == [
            "5_swc",
            "77_swc",
            "9007199254740993_swc",
        ]
        keys = json.loads(await body_of(server, "meshes/keyrange/5/8"))
        assert keys == ["5.drc", "5.ngmesh", "5.obj", "77.drc", "77.ngmesh", "77.obj"]
        assert json.loads(await body_of(server, "meshes/keyrange/77.ngmesh/77.ngmesh")) == ["77.ngmesh"]
        assert json.loads(await body_of(server, "meshes/keyrange/5.ngmesh/5.ngmesh")) == []


SIDES_WITHOUT_PROPERTIES = {name: key for name, key in SIDES.items() if name != "segment_properties"}


@pytest.mark.parametrize("meshes", [legacy_objects(), multilod_mesh_objects(77)], ids=["legacy", "multilod"])
async def test_without_properties_keys_are_those_of_the_objects(
    meshes: Mapping[str, bytes], tmp_path: Path
) -> None:
    objects = segment_objects(meshes) | {"info": volume_info(**SIDES_WITHOUT_PROPERTIES)}
    async with serving_objects(tmp_path, objects | {"mesh/078:0": b"", "skeletons/deep/9": b""}) as server:
        assert json.loads(await body_of(server, "meshes/keys")) == ["77.drc", "77.ngmesh", "77.obj"]
        assert json.loads(await body_of(server, "skeletons/keyrange/0/9")) == ["77_swc"]


async def test_a_list_that_cannot_be_made_is_refused_and_never_empty(tmp_path: Path) -> None:
    objects = segment_objects(multilod_mesh_objects(77, sharding=dict(SHARDING)))
    objects["info"] = volume_info(**SIDES_WITHOUT_PROPERTIES)
    async with serving_from_bucket(tmp_path, objects) as (server, _):
        for path, reason in {
            "meshes/keys": b"its shards hold many segments each",
            "meshes/keyrangevalues/0/9": b"its shards hold many segments each",
            "skeletons/keyrange/0/9": b"a web server has no lists",
        }.items():
            found = await body_of(server, path, status=400)
            assert b"keys cannot be listed: the volume has no segment properties, and " + reason in found
        assert json.loads(await body_of(server, "meshes/keyrange/77.obj/77.obj")) == ["77.obj"]


async def test_values_come_in_each_form(tmp_path: Path) -> None:
    async with serving_objects(tmp_path, segment_objects()) as server:
        swc = await body_of(server, "skeletons/key/77_swc")
        names = b'["77_swc", "78_swc"]'
        with tarfile.open(
            fileobj=io.BytesIO(await body_of(server, "skeletons/keyvalues?tar=true", names))
        ) as tar:
            files = {each.name: tar.extractfile(each) for each in tar}
            contents = {name: file.read() for name, file in files.items() if file is not None}
        assert contents == {"77_swc": swc, "78_swc": b""}
        found = await body_of(server, "skeletons/keyvalues", b"\x0a\x0677_swc\x0a\x0678_swc")
        assert swc in found
        assert found.endswith(b"\x0a\x08\x0a\x0678_swc")
        assert b"bad JSON" in await body_of(server, "skeletons/keyvalues?json=true", names, 400)
        as_is = await body_of(server, "skeletons/keyvalues?json=true&check=false", names)
        assert as_is == b'{"77_swc":' + swc + b',"78_swc":{}}'
        in_range = await body_of(server, "skeletons/keyrangevalues/0/9999?json=true&check=false")
        assert in_range == b'{"77_swc":' + swc + b"}"


async def test_a_request_for_too_much_is_refused(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    async with serving_objects(tmp_path, segment_objects()) as server:
        many = json.dumps(["77_swc"] * 40_000).encode()
        assert b"max_blocks" in await body_of(server, "skeletons/keyvalues?json=true", many, 413)
