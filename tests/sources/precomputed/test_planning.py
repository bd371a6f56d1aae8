"""The plan of a volume follows from its `info` alone, and the log shows it at start-up."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import ConfigError, FormatError
from dvidpc.sources.block_service import Service
from dvidpc.sources.plan import Metadata, VolumeSettings
from dvidpc.sources.precomputed.planning import plan_volume
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.storage.opening import open_store
from dvidpc.storage.ref import parse_ref
from dvidpc.volume.resources import Resources
from tests.opened import SETTINGS, open_images
from tests.volumes import VolumeSpec, write_volume


@pytest.mark.parametrize(
    ("changes", "channels", "data_type", "service"),
    [
        ({}, 1, "uint8", Service.PASSED_THROUGH),
        ({"encoding": "raw"}, 1, "float32", Service.PASSED_THROUGH),
        ({"encoding": "raw"}, 1, "uint8", Service.RE_ENCODED),
        ({"encoding": "raw"}, 3, "uint8", Service.RE_ENCODED),
        ({"encoding": "png"}, 1, "uint8", Service.RE_ENCODED),
        ({"voxel_offset": [64, -128, 0]}, 1, "uint8", Service.PASSED_THROUGH),
        ({"voxel_offset": [64, 1, 0]}, 1, "uint8", Service.RE_GRIDDED),
        ({"chunk_sizes": [[128, 128, 16]]}, 1, "uint8", Service.RE_GRIDDED),
        ({"chunk_sizes": [[512, 512, 1], [64, 64, 64]]}, 1, "uint8", Service.PASSED_THROUGH),
    ],
)
def test_how_a_scale_is_served(
    changes: dict[str, object], channels: int, data_type: str, service: Service
) -> None:
    scale = {
        "key": "s0",
        "size": [1000, 1000, 1000],
        "resolution": [8, 8, 8],
        "chunk_sizes": [[64, 64, 64]],
        "encoding": "jpeg",
    }
    info = {"type": "image", "data_type": data_type, "num_channels": channels, "scales": [scale | changes]}
    metadata = Metadata("", "em/info", json.dumps(info).encode())
    (plan,) = plan_volume(metadata, SETTINGS).scales
    assert plan.service is service


@pytest.mark.parametrize(
    ("data_type", "channels", "said"),
    [("uint16", 1, "as stored"), ("uint8", 3, "decoded"), ("uint16", 2, "decoded")],
)
async def test_only_passed_through_scales_are_reported_as_served_as_stored(
    data_type: str, channels: int, said: str, tmp_path: Path
) -> None:
    """The channels of a voxel lie apart in a raw chunk, and together in a block."""
    write_volume(tmp_path / "em", VolumeSpec(data_type=data_type, num_channels=channels))
    store = await open_store(BucketAccess(ref=parse_ref(f"{tmp_path}/em")), UpstreamLimits(), environ={})
    payloads, indexes = (LoadingCache(2**20, absence_ttl_s=30, clock=time.monotonic) for _ in range(2))
    with ThreadPoolExecutor(1) as pool:
        images = await open_images(store, Resources(payloads, indexes, pool))
        assert {image.served_how for image in images} == {said}
        await store.close()


def info_of(*resolutions: int, **changes: dict[str, object]) -> Metadata:
    """Return an info with a scale per resolution; *changes* to scale 2 are called `s2`."""
    scales: list[dict[str, object]] = [
        {
            "key": f"s{level}",
            "size": [100, 100, 100],
            "resolution": [resolution] * 3,
            "chunk_sizes": [[64, 64, 64]],
            "encoding": "raw",
        }
        | changes.get(f"s{level}", {})
        for level, resolution in enumerate(resolutions)
    ]
    info = {"type": "image", "data_type": "uint8", "num_channels": 1, "scales": scales}
    return Metadata("", "em/info", json.dumps(info).encode())


def skipping(*levels: int) -> VolumeSettings:
    return replace(SETTINGS, skip_scales=frozenset(levels))


@pytest.mark.parametrize(
    ("skipped", "names"),
    [
        ((), {"em": 8, "em_1": 16, "em_2": 32, "em_3": 64}),
        ((0,), {"em": 16, "em_1": 32, "em_2": 64}),
        ((0, 1), {"em": 32, "em_1": 64}),
        ((1,), {"em": 8, "em_2": 32, "em_3": 64}),
        ((0, 2), {"em": 16, "em_2": 64}),
        ((3,), {"em": 8, "em_1": 16, "em_2": 32}),
    ],
)
def test_the_first_scale_that_is_left_has_the_name_and_others_keep_their_distance(
    skipped: tuple[int, ...], names: dict[str, int]
) -> None:
    plan = plan_volume(info_of(8, 16, 32, 64), skipping(*skipped))
    instances = [one for scale in plan.scales for one in plan.instances_of(scale)]
    assert {one.name: one.scale.resolution_nm[0] for one in instances} == names
    assert [one.level for one in instances] == [int(one.name[3:] or 0) for one in instances]
    assert plan.warnings == ()


def test_a_scale_that_cannot_be_served_is_no_problem_if_it_is_left_out() -> None:
    metadata = info_of(8, 16, 32, s0={"encoding": "brotli-magic"}, s1={"size": "large"})
    assert [problem.level for problem in plan_volume(metadata, SETTINGS).problems] == [0, 1]
    plan = plan_volume(metadata, skipping(0, 1))
    assert plan.problems == ()
    assert [one.name for one in plan.instances_of(plan.scales[0])] == ["em"]
    with pytest.raises(FormatError, match=r"no scale can be served: scale 0: encoding is 'brotli-magic'"):
        plan_volume(metadata, skipping(1, 2))


@pytest.mark.parametrize(
    ("skipped", "why"),
    [((4,), "there is no scale 4; the volume has scales 0 to 1"), ((0, 1), "all 2 scales are left out")],
)
def test_skip_scales_must_fit_the_volume(skipped: tuple[int, ...], why: str) -> None:
    with pytest.raises(ConfigError, match=rf"^\[store.em\] skip_scales: {why}"):
        plan_volume(info_of(8, 16), skipping(*skipped))


def test_scales_in_disorder_are_one_warning() -> None:
    plan = plan_volume(info_of(32, 16, 8), SETTINGS)
    [warning] = plan.warnings
    assert warning.startswith("the scales are not listed from fine to coarse: scale 1 (16 x 16 x 16 nm)")
    assert not plan.is_finest_first
    assert plan_volume(info_of(8, 16, 32), SETTINGS).is_finest_first
    assert plan_volume(info_of(8, 8), SETTINGS).is_finest_first  # not finer, but not coarser either


def test_what_lies_beside_a_segmentation_is_planned_and_warned_of() -> None:
    scale = {
        "key": "s0",
        "size": [64] * 3,
        "resolution": [8] * 3,
        "encoding": "raw",
        "chunk_sizes": [[64] * 3],
    }
    info = {"type": "segmentation", "data_type": "uint64", "num_channels": 1, "scales": [scale]}
    sides = {"mesh": "../../meshes", "skeletons": "skel", "segment_properties": 7}
    plan = plan_volume(Metadata("a/b", "a/b/info", json.dumps(info | sides).encode()), SETTINGS)
    assert [(each.name, each.directory) for each in plan.companions] == [
        (f"{SETTINGS.instance}_meshes", "meshes"),
        (f"{SETTINGS.instance}_skeletons", "a/b/skel"),
    ]
    assert plan.warnings == ("no annotations are served: segment_properties is 7, not a relative path",)
    outside = {"mesh": "../../../meshes"}
    plan = plan_volume(Metadata("a/b", "a/b/info", json.dumps(info | outside).encode()), SETTINGS)
    assert plan.companions == ()
    assert plan.warnings == ("no meshes are served: mesh '../../../meshes' leads out of the bucket or root",)
