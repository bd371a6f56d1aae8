"""Every spelling of `info` that some reader accepts is accepted; errors name the key."""

import json
from typing import Any

import pytest

from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.info import Encoding, Side, VolumeInfo, parse_info, parse_redirect
from dvidpc.formats.precomputed.sharding import DataEncoding
from dvidpc.types import Point

SHARDING = {
    "@type": "neuroglancer_uint64_sharded_v1",
    "preshift_bits": 9,
    "hash": "identity",
    "minishard_bits": 6,
    "shard_bits": 15,
}


def info(scale: dict[str, Any] | None = None, **changes: object) -> dict[str, Any]:
    plain = {
        "key": "8_8_8",
        "size": [100, 200, 300],
        "resolution": [8, 8, 8],
        "voxel_offset": [0, 0, 0],
        "chunk_sizes": [[64, 64, 64]],
        "encoding": "raw",
    }
    document: dict[str, Any] = {
        "@type": "neuroglancer_multiscale_volume",
        "type": "image",
        "data_type": "uint8",
        "num_channels": 1,
        "scales": [plain | (scale or {})],
    }
    return document | changes


def parse(document: dict[str, Any]) -> VolumeInfo:
    return parse_info(json.dumps(document).encode())


PLAIN = parse(info())


def test_upper_case_words_are_taken() -> None:
    assert parse(info({"encoding": "RAW"}, type="IMAGE", data_type="UInt8")) == PLAIN


def test_no_type_and_no_offset_are_taken() -> None:
    document = info()
    del document["@type"], document["scales"][0]["voxel_offset"]
    assert parse(document) == PLAIN


def test_whole_numbers_may_be_written_with_a_fraction_or_as_text() -> None:
    scale = {"size": [100.0, 200.0, 3e2], "chunk_sizes": [[64.0, "64", 64]], "voxel_offset": [0.0, "0", 0]}
    assert parse(info(scale, num_channels="1")) == PLAIN


def test_stray_keys_and_hints_are_passed_over() -> None:
    scale = {
        "jpeg_quality": 75,
        "png_level": 3,
        "locked": True,
        "compressed_segmentation_block_size": [8, 8, 8],
    }
    assert parse(info(scale, app={}, mesh="mesh", rois=[1])) == PLAIN


def test_sharding_may_be_null_or_leave_its_encodings_out() -> None:
    assert parse(info({"sharding": None})) == PLAIN
    (scale,) = parse(info({"sharding": SHARDING | {"unknown": 1}})).scales
    assert scale.sharding is not None
    assert scale.sharding.minishard_index_encoding is scale.sharding.data_encoding is DataEncoding.RAW


def test_resolutions_may_be_fractions_and_scales_hidden() -> None:
    (scale,) = parse(info({"resolution": [8.25, 0.5, "33.25"], "hidden": True})).scales
    assert (scale.resolution_nm, scale.hidden) == ((8.25, 0.5, 33.25), True)


def test_volumes_may_be_vast_and_lie_anywhere() -> None:
    scale = {"size": [10**6, 10**6, 10**4], "voxel_offset": [-5, 10**9, 7], "chunk_sizes": [[10, 20, 30]]}
    (parsed,) = parse(info(scale | {"sharding": SHARDING})).scales
    assert parsed.grids[0].cells == Point(100_000, 50_000, 334)
    assert parsed.grids[0].box.stop == Point(999_995, 10**9 + 10**6, 10_007)


@pytest.mark.parametrize(
    ("scale", "reason"),
    [
        ({"encoding": "h264"}, "encoding is 'h264', not one of raw, jpeg"),
        ({"chunk_sizes": []}, "chunk_sizes is"),
        ({"chunk_sizes": [[64, 64, 0]]}, "chunk_sizes is 0, not at least 1"),
        (
            {"chunk_sizes": [[64, 64, 64], [32, 32, 32]], "sharding": SHARDING},
            "chunk_sizes must have exactly one entry",
        ),
        ({"size": [2**40, 2**40, 2**40], "sharding": SHARDING}, "chunk ids would need 102 bits"),
        ({"size": [1.5, 2, 3]}, "size is 1.5, not an integer"),
        ({"resolution": [8, 8, -8]}, "resolution is -8, not a positive number"),
        ({"key": "/etc"}, "key is '/etc', not a relative path"),
        ({"key": "https://example.org/x"}, "not a relative path"),
        ({"sharding": SHARDING | {"hash": "md5"}}, "sharding hash is 'md5'"),
        ({"sharding": SHARDING | {"shard_bits": 65}}, "sharding shard_bits is 65"),
        ({"encoding": "compressed_segmentation"}, "compressed_segmentation_block_size is missing"),
    ],
)
def test_what_one_scale_has_wrong_costs_that_scale(scale: dict[str, Any], reason: str) -> None:
    document = info(scale)
    document["scales"].append(info()["scales"][0])
    parsed = parse(document)
    assert [good.level for good in parsed.scales] == [1]
    ((level, said),) = ((refused.level, refused.reason) for refused in parsed.refused)
    assert level == 0
    assert reason in said


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"type": "annotation"}, "type is 'annotation'"),
        ({"type": "segmentation", "data_type": "float32"}, "the ids of a segmentation are integers"),
        ({"type": "segmentation", "num_channels": 2}, "num_channels is 2; a segmentation has 1"),
        ({"type": "segmentation", "app": {}}, "has the key 'app': this is a graphene volume"),
        ({"type": "segmentation", "graph": {}}, "has the key 'graph': this is a graphene volume"),
        ({"data_type": "float64"}, "data_type is 'float64'"),
        ({"num_channels": 0}, "num_channels is 0"),
        ({"scales": []}, "scales is not a non-empty list"),
    ],
)
def test_what_the_volume_has_wrong_costs_the_volume(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        parse(info(**changes))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_passed_over(encoding: str) -> None:
    document = json.dumps(info())
    assert parse_info(document.encode(encoding)) == parse_info(document.encode())
    assert parse_redirect('{"redirect": "../x"}'.encode(encoding)) == "../x"


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf", b"\xff\xfe{", b"\xfe\xff\xd8\x00{}"])
def test_a_byte_order_mark_before_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="is not JSON"):
        parse_info(data)
    assert parse_redirect(data) is None


def test_a_redirect_is_seen() -> None:
    assert parse_redirect(b'{"redirect": "../x"}') == "../x"
    assert parse_redirect(json.dumps(info()).encode()) is None
    assert Encoding.RAW.value == "raw"


def test_directories_beside_a_segmentation_are_read_and_bad_ones_cost_only_themselves() -> None:
    labels: dict[str, Any] = {"type": "segmentation", "data_type": "uint64"}
    parsed = parse(info(**labels, mesh="mesh/", skeletons="../skeletons", segment_properties=None))
    assert parsed.sides == {Side.MESH: "mesh", Side.SKELETONS: "../skeletons"}
    assert parsed.refused_sides == ()
    parsed = parse(info(**labels, mesh=5, skeletons="", segment_properties="gs://other/bucket"))
    assert parsed.sides == {}
    assert [(each.side, each.reason) for each in parsed.refused_sides] == [
        (Side.MESH, "mesh is 5, not a relative path"),
        (Side.SEGMENT_PROPERTIES, "segment_properties is 'gs://other/bucket', not a relative path"),
    ]


def test_an_image_has_no_meshes() -> None:
    assert parse(info(mesh="mesh")).sides == {}
