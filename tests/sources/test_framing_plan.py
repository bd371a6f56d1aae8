"""Whose voxels the positions of a collection count in."""

from dataclasses import replace
from pathlib import Path

import pytest

from dvidpc.errors import ConfigError, StoreError
from dvidpc.formats.grid import Box
from dvidpc.formats.precomputed.annotation_settings import AnnotationSettings
from dvidpc.sources.engines import ENGINES
from dvidpc.sources.framing_plan import Neighbour, find_frame, frame_plan
from dvidpc.sources.plan import Metadata, VolumePlan, VolumeSettings
from dvidpc.types import Point
from tests.segmentation import stripes, write_segmentation
from tests.synapses import write_lines
from tests.volumes import VolumeSpec, write_volume

SYN = VolumeSettings("syn", "syn", 64)


def plan_of(directory: Path, settings: VolumeSettings) -> VolumePlan:
    metadata = Metadata("", f"{directory}/info", (directory / "info").read_bytes())
    return ENGINES["ngprecomputed"].plan(metadata, settings)


def opened(directory: Path, name: str) -> Neighbour:
    settings = VolumeSettings(name, name, 64)
    return Neighbour(settings, plan_of(directory / name, settings))


def closed(name: str, *, may_pass: bool = True) -> Neighbour:
    return Neighbour(VolumeSettings(name, name, 64), None, "no answer", may_pass)


@pytest.fixture
def volumes(tmp_path: Path) -> dict[str, Neighbour]:
    """Two images of 8 and 16 nm and two segmentations of 8 x 8 x 40 and 32 nm."""
    write_volume(tmp_path / "em", VolumeSpec(size=(64, 64, 64)))
    write_volume(tmp_path / "coarse", VolumeSpec(size=(64, 64, 64), resolution=(16, 16, 16)))
    write_segmentation(tmp_path / "seg", [stripes((64, 32, 16), [7])], (8, 8, 40), (10, 20, 30))
    write_segmentation(tmp_path / "more", [stripes((64, 64, 64), [7])], (32, 32, 32))
    return {name: opened(tmp_path, name) for name in ("em", "coarse", "seg", "more")}


def test_the_only_segmentation_gives_the_voxel_size(volumes: dict[str, Neighbour]) -> None:
    frame = find_frame(SYN, [volumes["coarse"], volumes["em"], volumes["seg"], closed("no", may_pass=False)])
    assert frame.sync == "seg"
    assert frame.voxel_size_nm == (8.0, 8.0, 40.0)
    assert frame.extents == Box(Point(10, 20, 30), Point(74, 52, 46))
    assert frame.explanation == (
        "belongs to segmentation seg; positions count the voxels of seg, 8 x 8 x 40 nm"
    )


def test_of_two_segmentations_none_is_chosen_but_the_first_image(volumes: dict[str, Neighbour]) -> None:
    frame = find_frame(SYN, [volumes["seg"], volumes["coarse"], volumes["em"], volumes["more"]])
    assert (frame.sync, frame.voxel_size_nm) == (None, (16, 16, 16))
    assert "positions count the voxels of coarse, 16 x 16 x 16 nm" in frame.explanation


def test_sync_chooses_one(volumes: dict[str, Neighbour]) -> None:
    frame = find_frame(replace(SYN, sync="more"), [volumes["seg"], closed("late"), volumes["more"]])
    assert (frame.sync, frame.voxel_size_nm) == ("more", (32, 32, 32))


def test_voxel_size_has_precedence(volumes: dict[str, Neighbour]) -> None:
    sized = replace(SYN, annotations=AnnotationSettings(voxel_size_nm=(4, 4, 4)))
    frame = find_frame(sized, [volumes["seg"]])
    assert (frame.sync, frame.voxel_size_nm) == ("seg", (4, 4, 4))
    assert find_frame(sized, []).sync is None


def test_sync_and_voxel_size_need_no_open_volume() -> None:
    sized = replace(SYN, sync="seg", annotations=AnnotationSettings(voxel_size_nm=(4, 4, 4)))
    frame = find_frame(sized, [closed("seg"), closed("em")])
    assert (frame.sync, frame.voxel_size_nm, frame.extents) == ("seg", (4, 4, 4), None)


def test_without_volumes_units_are_the_collections() -> None:
    frame = find_frame(SYN, [closed("no", may_pass=False)])
    assert (frame.sync, frame.voxel_size_nm, frame.extents) == (None, None, None)
    assert "neither a volume nor voxel_size" in frame.explanation


def test_a_volume_that_is_not_open_is_waited_for(volumes: dict[str, Neighbour]) -> None:
    for settings in (SYN, replace(SYN, sync="late")):
        with pytest.raises(StoreError, match=r"waits for the volumes .*\(store late: no answer\); sync and"):
            find_frame(settings, [volumes["seg"], closed("late")])


def test_a_sync_that_is_no_segmentation_or_not_served_is_refused(volumes: dict[str, Neighbour]) -> None:
    for name, reason in (
        ("em", 'sync: "em" is not a segmentation; remove it'),
        ("bad", 'sync: "bad" is not served: no answer'),
        ("nobody", 'sync: "nobody" is not the instance of another store'),
    ):
        with pytest.raises(ConfigError) as caught:
            find_frame(replace(SYN, sync=name), [volumes["em"], closed("bad", may_pass=False)])
        assert str(caught.value) == f"[store.syn] {reason}"


def test_a_collection_is_planned_in_two_steps(tmp_path: Path, volumes: dict[str, Neighbour]) -> None:
    write_lines(tmp_path / "syn")
    plan = plan_of(tmp_path / "syn", SYN)
    assert plan.collection is not None
    assert plan.collection.framed is None
    assert not plan.scales
    framed = frame_plan(plan, SYN, [volumes["seg"]])
    assert framed.collection is not None
    assert framed.collection.counts_labels
    assert "annotations of type line, 1 cells on 1 spatial level(s)" in framed.collection.explanation[0]
    assert framed == frame_plan(plan, SYN, [volumes["seg"]])


def test_keys_for_annotations_have_no_effect_on_a_volume(tmp_path: Path) -> None:
    write_volume(tmp_path / "em", VolumeSpec(size=(64, 64, 64)))
    settings = VolumeSettings("em", "em", 64, annotations=AnnotationSettings(voxel_size_nm=(4, 4, 4)))
    [warning] = frame_plan(plan_of(tmp_path / "em", settings), settings, ()).warnings
    assert warning == "the keys of [store.em] that are for annotations have no effect"


def test_a_setting_that_the_collection_does_not_have_is_refused(tmp_path: Path) -> None:
    write_lines(tmp_path / "syn")
    settings = replace(SYN, annotations=AnnotationSettings(tags=(("nothing", "{}"),)))
    with pytest.raises(ConfigError, match=r"^\[store\.syn\] tags: .*nothing"):
        frame_plan(plan_of(tmp_path / "syn", settings), settings, ())
