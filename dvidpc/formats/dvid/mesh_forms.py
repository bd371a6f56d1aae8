"""The forms in which DVID's clients read meshes from a keyvalue instance."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np

from dvidpc.formats.draco import encode_draco
from dvidpc.formats.dvid.text_rows import format_rows
from dvidpc.formats.mesh import Mesh

_VERTEX: Final = "v %.4f %.4f %.4f\n"
_TRIANGLE: Final = "f %d %d %d\n"


class MeshForm(StrEnum):
    """A form of a mesh; its value is the extension of the key."""

    NGMESH = "ngmesh"
    """Neuroglancer's single-resolution fragment, in nanometers."""
    OBJ = "obj"
    """Wavefront text, in voxels of scale 0."""
    DRACO = "drc"
    """Draco, in voxels of scale 0."""


def encode_ngmesh(mesh: Mesh) -> bytes:
    """Return a mesh as an `.ngmesh`: what `decode_fragment` of legacy meshes reads."""
    return b"".join(
        (
            len(mesh.vertices).to_bytes(4, "little"),
            mesh.vertices.astype("<f4", copy=False).tobytes(),
            mesh.triangles.astype("<u4", copy=False).tobytes(),
        )
    )


def encode_obj(mesh: Mesh) -> bytes:
    """Return a mesh as an OBJ: four decimals a coordinate, vertices numbered from 1."""
    vertices = format_rows(_VERTEX, mesh.vertices.astype(np.float64))
    return vertices + format_rows(_TRIANGLE, mesh.triangles.astype(np.float64) + 1)


_ENCODERS: Final[Mapping[MeshForm, Callable[[Mesh], bytes]]] = MappingProxyType(
    {MeshForm.NGMESH: encode_ngmesh, MeshForm.OBJ: encode_obj, MeshForm.DRACO: encode_draco}
)


def encode_mesh(mesh: Mesh, form: MeshForm, voxel_size_nm: tuple[float, float, float]) -> bytes:
    """Return a mesh in *form*.

    Args:
        mesh: The mesh, in nanometers.
        form: The form; all but `.ngmesh` are in voxels.
        voxel_size_nm: Size of a voxel of scale 0.

    Raises:
        FormatError: The mesh cannot be expressed in *form*.
    """
    if form is not MeshForm.NGMESH:
        x, y, z = voxel_size_nm
        mesh = mesh.scaled((1 / x, 1 / y, 1 / z))
    return _ENCODERS[form](mesh)
