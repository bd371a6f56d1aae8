"""Fragments of legacy meshes: `uint32` vertices, positions, triangles, and nothing else."""

import struct

import numpy as np
import pytest
from cloudvolume import Mesh
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.errors import FormatError
from dvidpc.formats.dvid.mesh_forms import encode_ngmesh
from dvidpc.formats.mesh import join_meshes
from dvidpc.formats.precomputed.legacy_mesh import decode_fragment, manifest_name, parse_manifest

TRIANGLE = struct.pack("<I9f3I", 3, *range(9), 0, 1, 2)


def test_what_cloud_volume_writes_is_read_and_written_again() -> None:
    mesh = Mesh.from_precomputed(encode_ngmesh(decode_fragment(TRIANGLE)))
    assert mesh.vertices.ravel().tolist() == list(range(9))
    assert mesh.faces.tolist() == [[0, 1, 2]]
    assert encode_ngmesh(decode_fragment(mesh.to_precomputed())) == TRIANGLE


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "truncated mesh: 0 bytes"),
        (TRIANGLE[:-1], "has 51 bytes, not 40"),
        (TRIANGLE + b"\0", "has 53 bytes, not 40"),
        (b"\xff" * 4 + TRIANGLE[4:], "mesh of 4294967295 vertices"),
        (TRIANGLE[:-4] + b"\3\0\0\0", "triangle names vertex 3 of 3"),
        (TRIANGLE[:4] + b"\0\0\x80\x7f" + TRIANGLE[8:], "not finite"),
    ],
)
def test_malformed_fragments_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        decode_fragment(data)


@given(st.binary(max_size=120) | st.binary(max_size=80).map(lambda tail: b"\2\0\0\0" + bytes(24) + tail))
def test_any_bytes_come_back_or_are_refused(data: bytes) -> None:
    try:
        mesh = decode_fragment(data)
    except FormatError:
        return
    assert encode_ngmesh(mesh) == data


def test_joined_meshes_keep_their_own_vertices() -> None:
    mesh = decode_fragment(TRIANGLE)
    joined = join_meshes([mesh, decode_fragment(bytes(4)), mesh])
    assert joined.triangles.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert (joined.vertices == np.concatenate([mesh.vertices] * 2)).all()
    assert encode_ngmesh(join_meshes([])) == bytes(4)


def test_manifests_name_fragments_relative_to_their_directory() -> None:
    assert manifest_name(2**64 - 1) == "18446744073709551615:0"
    assert parse_manifest(b'{"fragments": ["a:0", "b/c", "../d"], "x": 1}') == ("a:0", "b/c", "../d")
    for malformed in (b"[]", b'{"fragments": [1]}', b'{"fragments": [""]}', b'{"fragments": null}', b"\xff"):
        with pytest.raises(FormatError):
            parse_manifest(malformed)
