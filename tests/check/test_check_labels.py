"""`dvidpc check` on segmentations and on what lies beside them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dvidpc.cli import main
from dvidpc.demo import write_demo_volume
from dvidpc.types import Point
from tests.label_index import write_index
from tests.segmentation import stripes, write_segmentation
from tests.serving import config_text
from tests.volumes import XYZ

LABELS = stripes((70, 40, 30), (3, 9))


def check(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, volume: Path, more: str = ""
) -> tuple[int, str]:
    path = tmp_path / "config.toml"
    path.write_text(config_text({"seg": volume}) + more)
    code = main(["check", str(path)])
    return code, capsys.readouterr().out


def add_to_info(volume: Path, **members: object) -> None:
    info = json.loads((volume / "info").read_text())
    (volume / "info").write_text(json.dumps({**info, **members}))


def write_document(directory: Path, document: object) -> None:
    directory.mkdir()
    (directory / "info").write_text(json.dumps(document))


def test_everything_of_a_good_segmentation_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_demo_volume(tmp_path / "demo", lambda _: None, Point(135, 131, 70))
    code, said = check(capsys, tmp_path, tmp_path / "demo" / "segmentation")
    assert code == 0
    assert said.count("-> seg (labelmap): re-encoded as blocks of 64 x 64 x 64") == 3
    assert "seg_meshes (keyvalue): 10 of 10 sampled segments have one" in said
    assert "seg_skeletons (keyvalue): 10 of 10 sampled segments have one" in said
    assert "seg_annotations (neuronjson): read, " in said
    assert "warning" not in said


def test_narrow_labels_and_the_level_that_is_made_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_segmentation(tmp_path / "seg", [LABELS.astype("uint32")])
    code, said = check(capsys, tmp_path, tmp_path / "seg")
    assert code == 0
    assert "1 x uint32 (served as uint64) compressed_segmentation" in said
    assert "seg has one level; another is made from it, which neuroglancer needs" in said
    code, said = check(capsys, tmp_path, tmp_path / "seg", 'label_type = "labelblk"\n')
    assert code == 0
    assert "-> seg (labelblk)" in said
    assert "has one level" not in said


def test_a_pyramid_that_a_labelmap_cannot_have_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_segmentation(tmp_path / "seg", [LABELS, LABELS[::2, ::2, ::2]])
    info = json.loads((tmp_path / "seg" / "info").read_text())
    info["scales"][1] |= {"resolution": [16, 16, 8], "size": [35, 20, 30]}
    (tmp_path / "seg" / "info").write_text(json.dumps(info))
    _, said = check(capsys, tmp_path, tmp_path / "seg")
    assert "warning the labelmap ends before scale 1" in said


def test_a_graphene_volume_is_one_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_segmentation(tmp_path / "seg", [LABELS])
    add_to_info(tmp_path / "seg", app={"supported_api_versions": [0, 1]})
    code, said = check(capsys, tmp_path, tmp_path / "seg")
    assert code == 1
    assert said.count("problem") == 1
    assert "has the key 'app': this is a graphene volume" in said
    assert "fix: name a flat segmentation in [store.seg] ref" in said


def test_what_lies_beside_it_and_cannot_be_read_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    volume = tmp_path / "seg"
    write_segmentation(volume, [LABELS, LABELS[::2, ::2, ::2]])
    add_to_info(volume, mesh="mesh", skeletons="nowhere", segment_properties="properties")
    write_document(volume / "mesh", {"@type": "neuroglancer_magic_mesh"})
    write_document(volume / "properties", {"@type": "neuroglancer_segment_properties", "inline": {"ids": 3}})
    code, said = check(capsys, tmp_path, volume)
    assert code == 1
    assert "problem seg_meshes (keyvalue): " in said
    assert "neuroglancer_magic_mesh" in said
    assert "nowhere/info does not exist" in said
    assert "problem seg_annotations (neuronjson): " in said
    for directory in ("mesh", "nowhere", "properties"):
        upload = f"rsync -a --checksum SOURCE/ {volume}/{directory}/"
        assert f"fix: upload them from a good copy ({upload}), or remove their key from the info" in said


@pytest.mark.parametrize("size", [(70, 40, 30), (64, 64, 64)])
def test_meshes_that_no_sampled_segment_has_are_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], size: XYZ
) -> None:
    volume = tmp_path / "seg"
    write_segmentation(volume, [stripes(size, (2**64 - 1, 5))])
    add_to_info(volume, mesh="mesh")
    code, said = check(capsys, tmp_path, volume)
    assert code == 0
    assert "warning seg_meshes (keyvalue): none of 2 sampled segments has any" in said
    assert "fix: if there should be some, make them: igneous mesh forge PATH; igneous mesh merge PATH" in said


def test_each_directory_without_anything_has_a_fix_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    volume = tmp_path / "seg"
    write_segmentation(volume, [LABELS, LABELS[::2, ::2, ::2]])
    add_to_info(volume, mesh="mesh", skeletons="skeletons", segment_properties="properties")
    write_document(volume / "skeletons", {"@type": "neuroglancer_skeletons"})
    nobody: dict[str, list[str]] = {"ids": [], "properties": []}
    write_document(volume / "properties", {"@type": "neuroglancer_segment_properties", "inline": nobody})
    code, said = check(capsys, tmp_path, volume)
    assert code == 0
    fixes = [line.partition("fix: ")[2] for line in said.splitlines() if "fix: " in line]
    assert fixes == [
        f"if there should be some, {make}; else remove their key from the info"
        for make in (
            "make them: igneous mesh forge PATH; igneous mesh merge PATH",
            "make them: igneous skeleton forge PATH; igneous skeleton merge PATH",
            f"list segments in {volume}/properties/info",
        )
    ]


def test_a_key_that_cannot_be_followed_is_corrected_in_the_info(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    volume = tmp_path / "seg"
    write_segmentation(volume, [LABELS, LABELS[::2, ::2, ::2]])
    add_to_info(volume, mesh="../../../meshes", segment_properties=7)
    _, said = check(capsys, tmp_path, volume)
    correct = f"correct that key in the info, or remove it: cp info {volume}/info"
    assert f"fix: set [store.seg] root to a directory that holds both, or {correct}\n" in said
    assert f"fix: {correct}\n" in said
    assert "downsample" not in said


def write_indexed(directory: Path) -> str:
    """Write a segmentation and its index; return the line of the configuration that names the index."""
    write_segmentation(directory / "seg", [LABELS])
    write_index(directory / "index", (directory / "seg" / "info").read_bytes(), LABELS.T)
    return f'label_index = "{directory}/index"\n'


def test_a_label_index_in_order_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = write_indexed(tmp_path)
    code, said = check(capsys, tmp_path, tmp_path / "seg", more)
    assert code == 0
    voxels = np.count_nonzero(LABELS)
    compared = "2 labels and 3 of their blocks were compared with the volume"
    assert f"label index: 2 labels, {voxels} voxels; {compared}" in said


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda place: shutil.rmtree(place / "index"), "does not exist"),
        (lambda place: shutil.rmtree(place / "index" / "labels"), "is damaged"),
        (lambda place: add_to_info(place / "seg", more=1), "the volume's info was changed"),
        (lambda place: write_segmentation(place / "seg", [LABELS // 9 * 9]), "and the index says"),
    ],
)
def test_a_label_index_that_cannot_be_used_is_a_problem(
    spoil: Callable[[Path], None], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = write_indexed(tmp_path)
    spoil(tmp_path)
    code, said = check(capsys, tmp_path, tmp_path / "seg", more)
    assert code == 1
    assert "problem label index: " in said
    assert reason in said
    assert f"dvidpc index build CONFIG --store seg --to file://{tmp_path}/index" in said
