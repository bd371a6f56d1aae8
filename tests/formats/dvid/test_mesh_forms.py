"""Meshes as DVID's clients read them; cloud-volume parses what we write."""

import numpy as np
import pytest
from cloudvolume import Mesh as CloudMesh

from dvidpc.errors import FormatError
from dvidpc.formats.dvid.mesh_forms import MeshForm, encode_mesh
from dvidpc.formats.dvid.text_rows import format_rows
from dvidpc.formats.mesh import make_mesh
from tests.segments import draw_patch

VERTICES, FACES = draw_patch(16, 3, 40)
MESH = make_mesh(VERTICES.astype(np.float32) * 2.5, FACES)


def test_ngmesh_is_nanometers_and_obj_is_voxels() -> None:
    ngmesh = CloudMesh.from_precomputed(encode_mesh(MESH, MeshForm.NGMESH, (4, 8, 40)))
    assert (ngmesh.vertices == MESH.vertices).all()
    assert (ngmesh.faces == FACES).all()
    obj = CloudMesh.from_obj(encode_mesh(MESH, MeshForm.OBJ, (4, 8, 40)))
    assert np.allclose(obj.vertices, MESH.vertices / (4, 8, 40), atol=1e-3)
    assert (obj.faces == FACES).all()


def test_a_mesh_that_overflows_in_voxels_is_refused() -> None:
    mesh = make_mesh(np.full((3, 3), 1e38, np.float32), np.array([[0, 1, 2]], np.uint32))
    assert encode_mesh(mesh, MeshForm.NGMESH, (1e-3, 1, 1))
    with pytest.raises(FormatError, match="not finite"):
        encode_mesh(mesh, MeshForm.OBJ, (1e-3, 1, 1))


@pytest.mark.parametrize("rows", [0, 1, 511, 512, 513, 2000])
def test_rows_are_formatted_in_order(rows: int) -> None:
    table = np.arange(2.0 * rows).reshape(rows, 2)
    expected = "".join(f"{2 * row} {2 * row + 1}.0\n" for row in range(rows))
    assert format_rows("%d %.1f\n", table).decode() == expected
