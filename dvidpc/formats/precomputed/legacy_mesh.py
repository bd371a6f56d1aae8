"""Legacy meshes: a JSON manifest names fragments, each of which holds vertices and triangles.

(neuroglancer mesh.rst, "Legacy single-resolution mesh format"; the fragment is also DVID's `.ngmesh`)
"""

import struct

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.mesh import Mesh, make_mesh
from dvidpc.formats.precomputed.info_values import read_member, relative_path
from dvidpc.formats.precomputed.side_documents import decode_document

_COUNT = struct.Struct("<I")
_ROW = 12
"""Bytes of one vertex, and of one triangle."""


def manifest_name(segment_id: int) -> str:
    """Return the name of a segment's manifest below the mesh directory."""
    return f"{segment_id}:0"


def parse_manifest(data: bytes) -> tuple[str, ...]:
    """Return the names of a mesh's fragments, relative to the mesh directory; none means there is no mesh.

    Raises:
        FormatError: The manifest is malformed.
    """
    return read_member(decode_document(data), "fragments", _names)


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise FormatError("is not a list of names")
    return tuple(relative_path(name) for name in value)


def decode_fragment(data: bytes) -> Mesh:
    """Decode a fragment: a `uint32le` count, as many positions `float32le[3]`, then triangles `uint32le[3]`.

    Raises:
        FormatError: It is malformed.
    """
    if len(data) < _COUNT.size:
        raise FormatError(f"truncated mesh: {len(data)} bytes")
    (count,) = _COUNT.unpack_from(data)
    rest = len(data) - _COUNT.size - _ROW * count
    if rest < 0 or rest % _ROW:
        raise FormatError(
            f"mesh of {count} vertices has {len(data)} bytes, not {_COUNT.size + _ROW * count} + 12n"
        )
    vertices = np.frombuffer(data, "<f4", 3 * count, _COUNT.size)
    triangles = np.frombuffer(data, "<u4", rest // 4, _COUNT.size + _ROW * count)
    return make_mesh(
        vertices.astype(np.float32, copy=False).reshape(-1, 3),
        triangles.astype(np.uint32, copy=False).reshape(-1, 3),
    )
