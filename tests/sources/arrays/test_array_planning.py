"""Public data sets by their documents alone: the instances that clients see of them."""

from dataclasses import dataclass

import pytest

from dvidpc.errors import ConfigError
from dvidpc.formats.arrays.bundle import encode_bundle
from dvidpc.formats.arrays.dialects import ArrayFormat
from dvidpc.formats.arrays.selection import ArraySelection
from dvidpc.sources.arrays.array_planning import plan_arrays
from dvidpc.sources.plan import Metadata, VolumePlan, VolumeSettings
from dvidpc.sources.scale_plan import LabelType
from tests.array_metadata import PUBLIC

N5 = ("hela", "bdv", "paintera", "n5-viewer", "bossdb", "catmaid")


def plan_of(
    name: str, selection: ArraySelection | None = None, *, is_labels: bool | None = None
) -> VolumePlan:
    kind = ArrayFormat.N5 if name in N5 else ArrayFormat.ZARR
    settings = VolumeSettings(
        "em", "em", 64, engine=kind.value, arrays=selection or ArraySelection(), is_labels=is_labels
    )
    return plan_arrays(Metadata("", f"s3://bucket/{name}", encode_bundle(PUBLIC[name])), settings, kind)


@dataclass(frozen=True)
class Expected:
    data_type: str
    resolutions: list[tuple[float, float, float]]
    """Of the first scales."""
    names: list[str]
    """Of the instances of the first scales."""
    scales: int


EXPECTED = {
    "liver": Expected("uint8", [(8, 8, 8), (16, 16, 16)], ["em", "em_1"], 15),
    "hela": Expected("uint16", [(4, 4, 5.24), (8, 8, 10.48)], ["em", "em_1"], 5),
    "webknossos": Expected("uint8", [(11.24, 11.24, 28), (22.48, 22.48, 28)], ["em", "em_1"], 3),
    "idr": Expected("uint16", [(100, 100, 500), (200, 200, 500)], ["em", "em_c1", "em_1", "em_c1_1"], 2),
    "cryoet": Expected("float32", [(1.348,) * 3, (2.696,) * 3], ["em", "em_1"], 3),
    "ome 0.6": Expected("uint16", [(4, 4, 40), (8, 8, 40)], ["em", "em_1"], 2),
    "bdv": Expected("uint16", [(0.4, 0.4, 2), (0.8, 0.8, 2)], ["em", "em_1"], 3),
    "n5-viewer": Expected("uint8", [(16, 16, 40), (32, 32, 80)], ["em", "em_1"], 3),
    "bossdb": Expected("uint8", [(4, 4, 40), (8, 8, 40)], ["em", "em_1"], 2),
    "catmaid": Expected("uint8", [(4, 4, 40), (8, 8, 40)], ["em", "em_1"], 2),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_images_of_public_data_sets_have_these_instances(name: str) -> None:
    expected = EXPECTED[name]
    plan = plan_of(name)
    assert plan.problems == ()
    assert plan.label_types == ()
    assert len(plan.scales) == expected.scales
    for scale, resolution in zip(plan.scales, expected.resolutions, strict=False):
        assert scale.resolution_nm == pytest.approx(resolution)
    instances = [one for scale in plan.scales for one in plan.instances_of(scale)]
    assert [one.name for one in instances][: len(expected.names)] == expected.names
    assert {one.channel.data_type.value for one in instances} == {expected.data_type}


def test_every_channel_is_an_instance_unless_one_is_chosen() -> None:
    plan = plan_of("e11")
    names = [one.name for one in plan.instances_of(plan.scales[0])]
    assert names == ["em", *(f"em_c{channel}" for channel in range(1, 18))]
    chosen = plan_of("e11", ArraySelection(at=(("c", 5),)))
    assert [one.name for one in chosen.instances_of(chosen.scales[0])] == ["em"]


def test_labels_are_one_labelmap_of_uint64() -> None:
    plan = plan_of("paintera")
    assert plan.label_types == (LabelType.LABELMAP,)
    (instance,) = plan.instances_of(plan.scales[0])
    assert (instance.name, instance.channel.data_type) == ("em", "uint64")
    assert plan_of("paintera", is_labels=False).label_types == ()
    assert plan_of("hela", is_labels=True).label_types == (LabelType.LABELMAP,)
    with pytest.raises(ConfigError, match=r"\[store.em\] type: voxels are float32"):
        plan_of("cryoet", is_labels=True)
