"""Which scales are read, and how a box is scaled."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.errors import ConfigError
from dvidpc.formats.grid import Box
from dvidpc.sources.plan import Metadata, VolumePlan, VolumeSettings
from dvidpc.sources.precomputed.planning import plan_volume
from dvidpc.sources.scale_plan import LabelType
from dvidpc.types import Point
from dvidpc.warm.prefetch_options import EVERY_SCALE, parse_scales
from dvidpc.warm.targets import choose_scales, clip_box, scale_box, scales_of_instance


def plan_of(kind: str = "image", channels: int = 1, label_type: LabelType | None = None) -> VolumePlan:
    """Return the plan of a volume of four scales."""
    labels = kind == "segmentation"
    scales = [
        {
            "key": f"s{level}",
            "size": [1024 >> level, 1000 >> level, 100],
            "resolution": [8 << level, 8 << level, 40],
            "voxel_offset": [64 >> level, 0, 0],
            "chunk_sizes": [[64, 64, 64]],
            "encoding": "raw",
        }
        for level in range(4)
    ]
    info = {
        "@type": "neuroglancer_multiscale_volume",
        "type": kind,
        "data_type": "uint64" if labels else "uint16",
        "num_channels": channels,
        "scales": scales,
    }
    types = (label_type,) if label_type else ()
    settings = VolumeSettings("a", "em", 64, label_types=types or (LabelType.LABELMAP,))
    return plan_volume(Metadata("", "s3://b/info", json.dumps(info).encode()), settings)


def levels_of(plan: VolumePlan, name: str) -> list[int]:
    return [scale.level for scale in scales_of_instance(plan, name)]


def test_the_finest_instance_of_an_image_stands_for_all_scales() -> None:
    assert levels_of(plan_of(), "em") == [0, 1, 2, 3]
    assert levels_of(plan_of(), "em_2") == [2]
    assert levels_of(plan_of(), "em_4") == []
    assert levels_of(plan_of(), "e") == []


def test_each_channel_is_an_instance() -> None:
    found = scales_of_instance(plan_of(channels=2), "em_c1")
    assert [(scale.channel.number, scale.level) for scale in found] == [(1, 0), (1, 1), (1, 2), (1, 3)]


def test_a_labelmap_has_the_scales_that_it_is_served_with() -> None:
    plan = plan_of("segmentation")
    assert levels_of(plan, "em") == [scale.level for scale in plan.labelmap_scales] == [0]
    assert levels_of(plan_of("segmentation", label_type=LabelType.LABELBLK), "em") == [0, 1, 2, 3]


def test_scales_are_read_from_the_coarsest_on() -> None:
    scales = scales_of_instance(plan_of(), "em")
    assert [one.level for one in choose_scales(scales, EVERY_SCALE, "em")] == [3, 2, 1, 0]
    assert [one.level for one in choose_scales(scales, parse_scales("0,2-"), "em")] == [3, 2, 0]


@pytest.mark.parametrize(("name", "text", "missing"), [("em", "2-9", 9), ("em", "4-", 4), ("em_2", "0", 0)])
def test_a_scale_that_does_not_exist_is_named(name: str, text: str, missing: int) -> None:
    scales = scales_of_instance(plan_of(), name)
    with pytest.raises(ConfigError, match=f"{name} has no scale {missing}; it has scale"):
        choose_scales(scales, parse_scales(text), name)


def test_a_box_is_cut_at_the_volume_and_refused_outside() -> None:
    plan = plan_of()
    assert clip_box(None, plan, "em") == Box(Point(64, 0, 0), Point(1088, 1000, 100))
    wide = Box(Point(-5, 10, 20), Point(100, 5000, 30))
    assert clip_box(wide, plan, "em") == Box(Point(64, 10, 20), Point(100, 1000, 30))
    with pytest.raises(
        ConfigError, match="--box 0,0,0,64,9,9 lies outside em, which has the voxels 64,0,0,1088,1000"
    ):
        clip_box(Box(Point(0, 0, 0), Point(64, 9, 9)), plan, "em")


NM = st.sampled_from([0.1, 0.3, 3.9, 4.0, 8.0, 33.3, 40.0])
BOXES = st.tuples(*[st.integers(-(10**6), 10**6)] * 3, *[st.integers(1, 10**5)] * 3)


@given(BOXES, st.tuples(NM, NM, NM), st.tuples(*[st.integers(0, 6)] * 3))
def test_a_scaled_box_is_rounded_outwards(
    numbers: tuple[int, ...], nm: tuple[float, float, float], halvings: tuple[int, int, int]
) -> None:
    start = Point(*numbers[:3])
    stop = Point(*(a + n for a, n in zip(start, numbers[3:], strict=True)))
    coarse = tuple(one * 2.0**n for one, n in zip(nm, halvings, strict=True))
    found = scale_box(Box(start, stop), nm, (coarse[0], coarse[1], coarse[2]))
    assert found.start == tuple(a >> n for a, n in zip(start, halvings, strict=True))
    assert found.stop == tuple(math.ceil(b / 2**n) for b, n in zip(stop, halvings, strict=True))


def test_a_resolution_that_was_rounded_moves_no_box() -> None:
    box = Box(Point(100_000, 0, 0), Point(100_080, 3, 8))
    assert scale_box(box, (3.9, 4, 4), (31, 12.1, 4)) == Box(Point(12_500, 0, 0), Point(12_510, 1, 8))


@given(BOXES, st.floats(1.1, 9.0).filter(lambda ratio: abs(ratio - round(ratio)) > 0.3))
def test_a_scaled_box_holds_the_box_at_any_ratio(numbers: tuple[int, ...], ratio: float) -> None:
    start = Point(*numbers[:3])
    stop = Point(*(a + n for a, n in zip(start, numbers[3:], strict=True)))
    found = scale_box(Box(start, stop), (4, 4, 4), (4 * ratio, 4 * ratio, 4 * ratio))
    for low, high, a, b in zip(*found, start, stop, strict=True):
        assert low * ratio <= a + 1e-2
        assert high * ratio >= b - 1e-2
        assert (low + 1) * ratio > a
        assert (high - 1) * ratio < b
