"""Manifests of multi-resolution meshes: cloud-volume's come back, everything else is refused."""

import numpy as np
import pytest
from cloudvolume.datasource.precomputed.mesh.multilod import MultiLevelPrecomputedMeshManifest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.mesh_info import LegacyMeshInfo, MultilodMeshInfo, parse_mesh_info
from dvidpc.formats.precomputed.multilod_mesh import decode_manifest, place_fragment
from dvidpc.formats.precomputed.sharding import ShardHash
from tests.segments import RECORDED

POSITIONS = st.tuples(*[st.integers(0, 2**32 - 1)] * 3)
FRAGMENTS = st.lists(st.tuples(POSITIONS, st.integers(0, 2**32 - 1)), max_size=4)
NUMBERS = st.floats(-1e6, 1e6, width=32)
THREE = st.tuples(NUMBERS, NUMBERS, NUMBERS)


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(st.tuples(THREE, FRAGMENTS), max_size=4), THREE, THREE, st.integers(-9, 9))
def test_a_manifest_of_cloud_volume_is_read_exactly(
    lods: list[tuple[tuple[float, ...], list[tuple[tuple[int, ...], int]]]],
    shape: tuple[float, ...],
    origin: tuple[float, ...],
    change: int,
) -> None:
    data = MultiLevelPrecomputedMeshManifest(
        0,
        np.array(shape),
        np.array(origin),
        len(lods),
        [1.0] * len(lods),
        [offset for offset, _ in lods],
        [len(fragments) for _, fragments in lods],
        [np.array([position for position, _ in fragments]).reshape(-1, 3) for _, fragments in lods],
        [size for _, fragments in lods for _, size in fragments],
    ).to_binary()
    manifest = decode_manifest(data)
    assert (manifest.chunk_shape, manifest.grid_origin) == (shape, origin)
    assert manifest.data_size == sum(size for _, fragments in lods for _, size in fragments)
    start = 0
    for lod, (offset, fragments) in zip(manifest.lods, lods, strict=True):
        assert lod.offset == offset
        expected = []
        for position, size in fragments:
            if size:
                expected.append((position, (start, start + size)))
            start += size
        assert lod.fragments() == expected
    if change:
        with pytest.raises(FormatError):
            decode_manifest(data + bytes(change) if change > 0 else data[:change])


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda tail: bytes(24) + b"\1\0\0\0" + tail))
def test_any_bytes_are_a_manifest_or_refused(data: bytes) -> None:
    try:
        manifest = decode_manifest(data)
    except FormatError:
        return
    assert len(data) == 28 + 20 * len(manifest.lods) + 16 * sum(len(lod.ends) for lod in manifest.lods)


def test_numbers_that_are_not_finite_are_refused() -> None:
    data = np.full(6, np.nan, "<f4").tobytes() + bytes(4)
    with pytest.raises(FormatError, match="not finite"):
        decode_manifest(data)
    with pytest.raises(FormatError, match="33 levels of detail"):
        decode_manifest(bytes(24) + b"\x21\0\0\0" + bytes(20 * 33))


def test_levels_within_a_limit_have_triangles() -> None:
    sizes = [100, 0, 10, 1]
    data = MultiLevelPrecomputedMeshManifest(
        0, np.ones(3), np.zeros(3), 4, [1] * 4, [(0, 0, 0)] * 4, [1] * 4, [np.zeros((1, 3))] * 4, sizes
    ).to_binary()
    manifest = decode_manifest(data)
    assert [manifest.lods_within(most) for most in (1200, 1199, 12, 11)] == [[0, 2, 3], [2, 3], [3], []]


def test_a_position_that_overflows_is_refused() -> None:
    data = MultiLevelPrecomputedMeshManifest(
        0, np.full(3, 3e38), np.zeros(3), 1, [1], [(0, 0, 0)], [1], [np.full((1, 3), 9)], [5]
    ).to_binary()
    info = parse_mesh_info((RECORDED / "multilod-sharded" / "info").read_bytes())
    assert isinstance(info, MultilodMeshInfo)
    mesh = (np.full((3, 3), 5, np.uint32), np.array([[0, 1, 2]], np.uint32))
    with pytest.raises(FormatError, match="vertex position is not finite"):
        place_fragment(mesh, (9, 9, 9), 0, decode_manifest(data), info)


def test_public_infos_are_read() -> None:
    legacy, of_igneous, unsharded, sharded = (
        parse_mesh_info((RECORDED / name / "info").read_bytes())
        for name in ("flyem-legacy-meshes", "igneous-legacy-meshes", "multilod-unsharded", "multilod-sharded")
    )
    assert legacy == of_igneous == parse_mesh_info(None) == LegacyMeshInfo()
    assert isinstance(unsharded, MultilodMeshInfo)
    assert (unsharded.quantization_bits, unsharded.sharding) == (10, None)
    assert isinstance(sharded, MultilodMeshInfo)
    assert sharded.transform.determinant == pytest.approx(16**3)
    assert sharded.sharding is not None
    assert (sharded.sharding.hash, sharded.sharding.preshift_bits) == (ShardHash.MURMURHASH3_X86_128, 6)
