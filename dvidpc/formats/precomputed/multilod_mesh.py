"""Multi-resolution meshes: the manifest of an object, and where its fragments belong in space.

(neuroglancer mesh.rst, "Multi-resolution mesh format")
"""

import math
import struct
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import FormatError
from dvidpc.formats.mesh import Mesh, make_mesh
from dvidpc.formats.precomputed.mesh_info import MultilodMeshInfo
from dvidpc.types import ByteRange

MAX_MANIFEST_SIZE = 16 * 2**20
"""Size limit of a manifest in bytes: a million fragments."""

_MAX_LODS = 32
_HEAD = struct.Struct("<3f3fI")
_NGMESH_PER_DRACO = 12
"""Bytes of an uncompressed mesh per byte of Draco, estimated from typical meshes."""


class FragmentPlace(NamedTuple):
    """One fragment of a level of detail."""

    position: tuple[int, int, int]
    """The octree node, in units of the level's node shape."""
    byte_range: ByteRange
    """Where its Draco data lies in the object's fragment data; never empty."""


@dataclass(frozen=True, slots=True)
class Lod:
    """One level of detail of a mesh."""

    offset: tuple[float, float, float]
    """Added to vertex positions, in stored coordinates."""
    positions: NDArray[np.uint32]
    """Octree nodes `[xyz, fragment]`."""
    ends: NDArray[np.uint64]
    """Where each fragment ends in the object's fragment data; it starts where the one before ends."""
    start: int
    """Where the first fragment starts."""

    @property
    def byte_range(self) -> ByteRange:
        """Where the level lies in the object's fragment data; may be empty."""
        return ByteRange(self.start, int(self.ends[-1]) if len(self.ends) else self.start)

    def fragments(self) -> list[FragmentPlace]:
        """Return the fragments that are not empty: a node has none if only its children have triangles."""
        places = []
        start = self.start
        for (x, y, z), end in zip(self.positions.T.tolist(), self.ends.tolist(), strict=True):
            if end > start:
                places.append(FragmentPlace((x, y, z), ByteRange(start, end)))
            start = end
        return places


@dataclass(frozen=True, slots=True)
class MeshManifest:
    """The manifest of one object."""

    chunk_shape: tuple[float, float, float]
    """Extent of an octree node of level 0, in stored coordinates."""
    grid_origin: tuple[float, float, float]
    lods: tuple[Lod, ...]

    @property
    def data_size(self) -> int:
        """Bytes of fragment data, all levels together."""
        return self.lods[-1].byte_range.stop if self.lods else 0

    def lods_within(self, max_size: int) -> list[int]:
        """Return the levels that have triangles and, by estimate, at most *max_size* bytes; the finest first.

        The size is that of the uncompressed mesh, estimated from the size of the Draco data.
        """
        return [
            number
            for number, lod in enumerate(self.lods)
            if lod.byte_range.size > 0 and lod.byte_range.size * _NGMESH_PER_DRACO <= max_size
        ]


def decode_manifest(data: bytes) -> MeshManifest:
    """Decode a manifest.

    Raises:
        FormatError: It is malformed.
    """
    if len(data) < _HEAD.size:
        raise FormatError(f"truncated mesh manifest: {len(data)} bytes")
    *geometry, count = _HEAD.unpack_from(data)
    if count > _MAX_LODS:
        raise FormatError(f"mesh manifest has {count} levels of detail; at most {_MAX_LODS} are supported")
    words = np.frombuffer(data[_HEAD.size :][: len(data) // 4 * 4 - _HEAD.size], "<u4").astype(np.uint32)
    if len(words) < 5 * count:
        raise FormatError(f"truncated mesh manifest: {len(data)} bytes for {count} levels of detail")
    scales_and_offsets = words[: 4 * count].view(np.float32)
    if not (all(map(math.isfinite, geometry)) and np.isfinite(scales_and_offsets).all()):
        raise FormatError("mesh manifest holds a number that is not finite")
    counts = words[4 * count : 5 * count].tolist()
    expected = _HEAD.size + 20 * count + 16 * sum(counts)
    if len(data) != expected:
        raise FormatError(f"mesh manifest has {len(data)} bytes, not {expected}")
    offsets = scales_and_offsets[count:].reshape(-1, 3).tolist()
    chunk_shape, grid_origin = _three(geometry[:3]), _three(geometry[3:])
    return MeshManifest(chunk_shape, grid_origin, _split_lods(words[5 * count :], offsets, counts))


def _split_lods(words: NDArray[np.uint32], offsets: list[list[float]], counts: list[int]) -> tuple[Lod, ...]:
    lods = []
    at = start = 0
    for offset, count in zip(offsets, counts, strict=True):
        positions = words[at : at + 3 * count].reshape(3, -1)
        ends = np.cumsum(words[at + 3 * count : at + 4 * count], dtype=np.uint64) + np.uint64(start)
        lods.append(Lod(_three(offset), positions, ends, start))
        at += 4 * count
        start = lods[-1].byte_range.stop
    return tuple(lods)


def _three(numbers: list[float]) -> tuple[float, float, float]:
    x, y, z = numbers
    return x, y, z


def place_fragment(
    mesh: tuple[NDArray[np.uint32], NDArray[np.uint32]],
    position: tuple[int, int, int],
    lod: int,
    manifest: MeshManifest,
    info: MultilodMeshInfo,
) -> Mesh:
    """Return a decoded fragment where it belongs, in nanometers.

    Each level's nodes are 2^lod times as large as those of level 0, whatever `lod_scales` says.  A
    transform that mirrors would turn triangles inside out, so their corners are swapped then.

    Args:
        mesh: Its quantized vertices `[vertex, xyz]` and its triangles.
        position: Its octree node.
        lod: Its level of detail.
        manifest: The manifest that names it.
        info: How vertices are quantized and transformed.

    Raises:
        FormatError: A coordinate exceeds the quantization, or overflows.
    """
    vertices, triangles = mesh
    most = 2**info.quantization_bits - 1
    if vertices.size and int(vertices.max()) > most:
        raise FormatError(f"mesh fragment has vertex coordinate {int(vertices.max())}, more than {most}")
    base = np.array(manifest.grid_origin) + np.array(manifest.lods[lod].offset)
    with np.errstate(all="ignore"):
        stored = base + np.array(manifest.chunk_shape) * 2.0**lod * (np.array(position) + vertices / most)
        placed = info.transform.apply(stored).astype(np.float32)
    if info.transform.determinant < 0:
        triangles = triangles[:, ::-1]
    return make_mesh(placed, np.ascontiguousarray(triangles))
