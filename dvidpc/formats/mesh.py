"""Triangle meshes in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import FormatError


@dataclass(frozen=True, slots=True)
class Mesh:
    """A surface made of triangles."""

    vertices: NDArray[np.float32]
    """Positions `[vertex, xyz]`; all are finite."""
    triangles: NDArray[np.uint32]
    """Vertex numbers `[triangle, corner]`; all are less than the number of vertices."""

    @property
    def nbytes(self) -> int:
        """Memory use in bytes; also the size of its `.ngmesh`, except for the vertex count."""
        return self.vertices.nbytes + self.triangles.nbytes

    def scaled(self, factor: tuple[float, float, float]) -> "Mesh":
        """Return the mesh with positions multiplied by *factor* along x, y and z."""
        with np.errstate(over="ignore"):
            vertices = (self.vertices.astype(np.float64) * factor).astype(np.float32)
        return make_mesh(vertices, self.triangles)


def make_mesh(vertices: NDArray[np.float32], triangles: NDArray[np.uint32]) -> Mesh:
    """Return a mesh after checking that its positions are finite and its triangles name existing vertices.

    Raises:
        FormatError: They do not.
    """
    if not np.isfinite(vertices).all():
        raise FormatError("a vertex position is not finite")
    if triangles.size and int(triangles.max()) >= len(vertices):
        raise FormatError(f"triangle names vertex {int(triangles.max())} of {len(vertices)}")
    return Mesh(vertices, triangles)


def join_meshes(meshes: Sequence[Mesh]) -> Mesh:
    """Return one mesh with the vertices and triangles of all, in order; shared vertices stay apart.

    Raises:
        FormatError: Together they have more vertices than 32-bit numbers can name.
    """
    if len(meshes) == 1:
        return meshes[0]
    if sum(len(mesh.vertices) for mesh in meshes) > 2**32:
        raise FormatError("mesh has more than 2^32 vertices")
    vertices = np.concatenate([np.zeros((0, 3), np.float32), *(mesh.vertices for mesh in meshes)])
    triangles = [np.zeros((0, 3), np.uint32)]
    first = 0
    for mesh in meshes:
        triangles.append(mesh.triangles + np.uint32(first))
        first += len(mesh.vertices)
    return Mesh(vertices, np.concatenate(triangles))
