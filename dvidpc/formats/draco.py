"""Draco meshes, decoded and encoded by DracoPy.

The header is checked first: the library allocates memory for as many triangles as it claims.  DracoPy 2.2.0
survived 690,000 damaged meshes (exceptions only), but it returns triangles that name missing vertices.
"""

import math
from typing import Final

import DracoPy
import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import FormatError, TooLargeError
from dvidpc.formats.mesh import Mesh

Quantized = tuple[NDArray[np.uint32], NDArray[np.uint32]]
"""Integer vertices `[vertex, xyz]` and triangles `[triangle, corner]`."""

_MAGIC = b"DRACO\x02\x02\x01"
"""Version 2.2, a triangle mesh (not a point cloud); older bitstreams are not in use."""
_METADATA_FLAG = 0x8000
_MAX_DEPTH = 8
_MAX_METADATA: Final = 1000
_LEAST_BITS, _MOST_BITS = 11, 24
_STEPS_PER_VOXEL = 16


def decode_draco(data: bytes, max_size: int) -> Quantized:
    """Decode a mesh with integer vertices; safe on malformed data.

    Args:
        data: The encoded mesh.
        max_size: The most bytes that the vertices and triangles may have.

    Raises:
        FormatError: *data* is malformed, or its vertices are not non-negative integers.
        TooLargeError: The mesh has more than *max_size* bytes.
    """
    num_vertices, num_triangles = read_counts(data)
    if 12 * (num_vertices + num_triangles) > max_size:
        raise TooLargeError(
            f"mesh fragment has {num_vertices} vertices and {num_triangles} triangles; "
            f"the limit is {max_size} bytes"
        )
    try:
        decoded = DracoPy.decode(data)
        vertices, triangles = np.asarray(decoded.points), np.asarray(decoded.faces)
    except Exception as error:  # the library raises arbitrary exceptions on malformed data
        raise FormatError(f"malformed Draco mesh: {type(error).__name__}: {error}") from error
    if vertices.ndim != 2 or vertices.shape[1:] != (3,) or triangles.ndim != 2 or triangles.shape[1:] != (3,):
        raise FormatError(f"Draco mesh has vertices {vertices.shape} and triangles {triangles.shape}")
    if triangles.size and not 0 <= int(triangles.min()) <= int(triangles.max()) < len(vertices):
        raise FormatError(f"Draco mesh has a triangle that names none of its {len(vertices)} vertices")
    return _as_integers(vertices), triangles.astype(np.uint32)


def _as_integers(vertices: "NDArray[np.generic]") -> NDArray[np.uint32]:
    """Convert vertices exactly; DracoPy returns signed integers as float32."""
    with np.errstate(invalid="ignore"):  # signalling NaNs
        values = vertices.astype(np.float64)
    if not ((values >= 0) & (values < 2**32) & (values == np.floor(values))).all():
        raise FormatError("Draco mesh has vertices that are not non-negative integers")
    return values.astype(np.uint32)


def read_counts(data: bytes) -> tuple[int, int]:
    """Return how many vertices and triangles a Draco mesh claims to have.

    (Draco bitstream specification 2.2: ParseHeader, DecodeMetadata, DecodeSequentialConnectivityData,
    DecodeEdgebreakerConnectivityData)

    Raises:
        FormatError: The header is malformed or truncated.
    """
    if data[: len(_MAGIC)] != _MAGIC:
        raise FormatError("malformed Draco mesh: no header of a version 2.2 mesh")
    try:
        method, flags = data[8], int.from_bytes(data[9:11], "little")
        at = 11
        if flags & _METADATA_FLAG:
            at = _skip_metadata(data, at)
        if method == 0:
            num_triangles, at = _read_varint(data, at)
            return _read_varint(data, at)[0], num_triangles
        num_vertices, at = _read_varint(data, at + 1)
        return num_vertices, _read_varint(data, at)[0]
    except IndexError:
        raise FormatError(f"truncated Draco mesh: {len(data)} bytes") from None


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number in LEB128, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise FormatError("malformed Draco mesh: a number has more than 64 bits")


def _skip_metadata(data: bytes, at: int) -> int:
    """Return where the metadata that starts at *at* ends."""
    count, at = _read_varint(data, at)
    _check_metadata(count)
    for _ in range(count):
        _, at = _read_varint(data, at)
        at = _skip_element(data, at, 0)
    return _skip_element(data, at, 0)


def _skip_element(data: bytes, at: int, depth: int) -> int:
    """Return where a metadata element ends: entries of name and value, then elements below it."""
    if depth > _MAX_DEPTH:
        raise FormatError("malformed Draco mesh: its metadata is nested too deeply")
    count, at = _read_varint(data, at)
    _check_metadata(count)
    for _ in range(count):
        size, at = _read_varint(data, at + 1 + data[at])
        at += size
    count, at = _read_varint(data, at)
    _check_metadata(count)
    for _ in range(count):
        at = _skip_element(data, at + 1 + data[at], depth + 1)
    return at


def _check_metadata(count: int) -> None:
    if count > _MAX_METADATA:
        raise FormatError(f"malformed Draco mesh: {count} metadata entries")


def encode_draco(mesh: Mesh) -> bytes:
    """Encode a mesh; positions are rounded to 1/16 of their unit, more coarsely if they span over 2^20 units.

    Raises:
        FormatError: The mesh has no triangles, which Draco cannot express.
    """
    if not mesh.triangles.size:
        raise FormatError("mesh has no triangles, so it cannot be encoded by Draco")
    extent = float((mesh.vertices.max(axis=0).astype(np.float64) - mesh.vertices.min(axis=0)).max())
    bits = math.ceil(math.log2(max(extent * _STEPS_PER_VOXEL, 1)))
    try:
        return bytes(
            DracoPy.encode(
                mesh.vertices, mesh.triangles, quantization_bits=min(_MOST_BITS, max(_LEAST_BITS, bits + 1))
            )
        )
    except DracoPy.EncodingFailedException as error:
        raise FormatError(f"mesh cannot be encoded by Draco: {error}") from error
