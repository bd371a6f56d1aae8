"""The demo's segmentation, and the meshes, skeletons and properties beside it, read by cloud-volume."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from cloudvolume import CloudVolume
from numpy.typing import NDArray

from dvidpc.demo.shapes import encode_surface
from dvidpc.demo.tissue import Tissue
from dvidpc.demo.writing import write_volumes
from dvidpc.formats.precomputed.legacy_mesh import decode_fragment
from dvidpc.formats.precomputed.segment_properties import parse_segment_properties

SHAPE = (70, 131, 135)
SEED = 8
COARSEST_NM = 32


@pytest.fixture(scope="module")
def segmentation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("demo")
    write_volumes(directory, SHAPE, SEED, lambda _: None)
    return directory / "segmentation"


def open_scale(segmentation: Path, mip: int = 0) -> CloudVolume:
    return CloudVolume(f"precomputed://file://{segmentation}", mip=mip, progress=False)


def read_scale(segmentation: Path, mip: int) -> NDArray[np.uint64]:
    """Return the labels of a scale, [x, y, z]."""
    return np.asarray(open_scale(segmentation, mip)[:, :, :])[..., 0]


def with_meshes(segmentation: Path) -> list[int]:
    return [int(file.name[:-2]) for file in (segmentation / "mesh").glob("*:0")]


def test_labels_are_those_of_the_tissue(segmentation: Path) -> None:
    labels = read_scale(segmentation, 0)
    assert labels.dtype == np.uint64
    drawn = Tissue(SHAPE, SEED).draw((slice(0, 64), slice(64, 128), slice(64, 128))).labels
    assert np.array_equal(labels[64:128, 64:128, 0:64].T, drawn)


def test_there_are_three_scales_of_the_most_frequent_labels(segmentation: Path) -> None:
    scales = [read_scale(segmentation, mip) for mip in range(3)]
    assert [scale.shape for scale in scales] == [(135, 131, 70), (68, 66, 35), (34, 33, 18)]
    for finer, coarser in pairwise(scales):
        assert (finer[::2, ::2, ::2] == coarser).mean() > 0.8
        assert np.isin(coarser, finer).all()


def test_a_mesh_is_the_closed_surface_of_its_body(segmentation: Path) -> None:
    labels = read_scale(segmentation, 2)
    assert len(with_meshes(segmentation)) == 12
    for body in with_meshes(segmentation):
        mesh = open_scale(segmentation).mesh.get(body)
        edges = np.sort(mesh.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
        assert (np.unique(edges, axis=0, return_counts=True)[1] % 2 == 0).all()
        voxels = np.argwhere(labels == body) * COARSEST_NM
        assert (abs(mesh.vertices.min(axis=0) - voxels.min(axis=0)) <= COARSEST_NM).all()
        assert (abs(mesh.vertices.max(axis=0) - voxels.max(axis=0)) <= 2 * COARSEST_NM).all()


@pytest.mark.parametrize("size", [(6, 6, 6), (4, 7, 12)])
def test_a_surface_encloses_its_body_and_faces_outwards(size: tuple[int, int, int]) -> None:
    inside = np.zeros((20, 20, 20), bool)
    inside[3 : 3 + size[0], 4 : 4 + size[1], 5 : 5 + size[2]] = True
    mesh = decode_fragment(encode_surface(inside, 1))
    corners = mesh.vertices[mesh.triangles].astype(float)
    volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert inside.sum() * 0.8 < volume <= inside.sum()
    assert mesh.vertices.mean(axis=0) == pytest.approx(
        [4.5 + size[2] / 2 + 0.5, 4 + size[1] / 2, 3 + size[0] / 2]
    )


def test_a_skeleton_runs_inside_its_body(segmentation: Path) -> None:
    labels = read_scale(segmentation, 2)
    lengths = []
    for body in with_meshes(segmentation):
        skeleton = open_scale(segmentation).skeleton.get(body)
        at = tuple((skeleton.vertices // COARSEST_NM).astype(int).T)
        assert (labels[at] == body).all()
        assert len(skeleton.edges) == len(skeleton.vertices) - 1
        assert (skeleton.radius > 0).all()
        lengths.append(len(skeleton.vertices))
    assert max(lengths) > 5


def test_every_neurite_has_a_label_and_a_size(segmentation: Path) -> None:
    properties = parse_segment_properties((segmentation / "segment_properties" / "info").read_bytes())
    ids, counts = np.unique(read_scale(segmentation, 2), return_counts=True)
    for body, count in zip(ids[ids > 0].tolist(), counts[ids > 0].tolist(), strict=True):
        expected = {"bodyid": body, "label": f"neurite {body}", "name": f"neurite {body}", "size": count}
        assert properties.find(body) == expected
