"""Draco meshes: exact for every way of encoding them, and safe whatever comes."""

import itertools

import DracoPy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dvidpc.errors import FormatError, TooLargeError
from dvidpc.formats.draco import decode_draco, encode_draco, read_counts
from dvidpc.formats.mesh import make_mesh
from tests.segments import draw_patch, encode_fragment

VERTICES, FACES = draw_patch(16, 1, 4)
WAYS = list(itertools.product(range(0, 11, 2), [False, True], [False, True], ["uint32", "uint16", "int32"]))
MOST = 10**6


def corners(vertices: NDArray[np.uint32], faces: NDArray[np.uint32]) -> list[list[list[int]]]:
    """The triangles by the positions of their corners, in an order of their own."""
    return sorted(min(np.roll(each, n, axis=0).tolist() for n in range(3)) for each in vertices[faces])


@pytest.mark.parametrize(("level", "preserve_order", "metadata", "dtype"), WAYS)
def test_integer_meshes_are_exact(level: int, preserve_order: object, metadata: object, dtype: str) -> None:
    data = DracoPy.encode(
        VERTICES.astype(dtype) if dtype != "int32" else (VERTICES // 2).astype(dtype),
        FACES,
        compression_level=level,
        preserve_order=preserve_order,
        create_metadata=metadata,
        quantization_bits=16,
        quantization_range=65535,
        quantization_origin=[0, 0, 0],
    )
    assert read_counts(data) == (16, 18)
    vertices, faces = decode_draco(data, MOST)
    assert corners(vertices, faces) == corners(VERTICES // 2 if dtype == "int32" else VERTICES, FACES)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no header of a version 2.2 mesh"),
        (b"DRACO\x02\x02\x00\x01\x00\x00", "no header of a version 2.2 mesh"),
        (b"DRACO\x02\x02\x01", "truncated Draco mesh: 8 bytes"),
        (b"DRACO\x02\x02\x01\x01\x00\x80\xff\xff\x03", "65535 metadata entries"),
        (b"DRACO\x02\x02\x01\x01\x00\x00\x00" + b"\xff" * 11, "a number has more than 64 bits"),
        (encode_fragment((VERTICES, FACES))[:-9], "malformed Draco mesh"),
        (DracoPy.encode(VERTICES.astype("f4") + 0.5, FACES), "not non-negative integers"),
        (DracoPy.encode(VERTICES.astype("i4") - 5, FACES), "not non-negative integers"),
    ],
)
def test_malformed_meshes_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        decode_draco(data, MOST)


def test_a_mesh_that_claims_to_be_huge_is_refused_before_the_library_sees_it() -> None:
    data = encode_fragment((VERTICES, FACES))
    claimed = data[:12] + b"\xff\xff\xff\x7f" + data[13:]
    with pytest.raises(TooLargeError, match="268435455 vertices"):
        decode_draco(claimed, MOST)
    with pytest.raises(TooLargeError):
        decode_draco(data, 12 * 33)
    decode_draco(data, 12 * 34)


SEEDS = [
    DracoPy.encode(VERTICES, FACES, compression_level=level, create_metadata=metadata)
    for level in (0, 5, 10)
    for metadata in (False, True)
]


@settings(max_examples=300, deadline=None, database=None)
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(8, 200), st.binary(max_size=6)), max_size=4))
def test_damaged_meshes_are_read_or_refused(seed: bytes, changes: list[tuple[int, bytes]]) -> None:
    data = bytearray(seed)
    for at, new in changes:
        data[at : at + len(new)] = new
    try:
        vertices, faces = decode_draco(bytes(data), MOST)
    except (FormatError, TooLargeError):
        return
    assert vertices.dtype == faces.dtype == np.uint32
    assert not faces.size or faces.max() < len(vertices)


@pytest.mark.parametrize("extent", [1, 1000, 30_000])
def test_encoded_vertices_are_a_sixteenth_off_at_most(extent: int) -> None:
    mesh = make_mesh((VERTICES / 65535 * extent).astype(np.float32), FACES)
    decoded = DracoPy.decode(encode_draco(mesh))
    assert len(decoded.faces) == len(FACES)
    for vertex in decoded.points:
        assert np.abs(mesh.vertices - vertex).max(axis=1).min() <= 1 / 16


def test_a_mesh_without_triangles_cannot_be_encoded() -> None:
    mesh = make_mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint32))
    with pytest.raises(FormatError, match="no triangles"):
        encode_draco(mesh)
