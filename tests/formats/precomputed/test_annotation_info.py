"""The `info` of annotation collections, as writers leave it."""

import json
from typing import Any

import pytest

from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.annotation_info import (
    AnnotationType,
    Collection,
    is_annotation_info,
    parse_annotation_info,
)
from dvidpc.formats.precomputed.annotation_properties import PropertyType
from dvidpc.formats.precomputed.sharding import ShardHash
from tests.annotated import IDENTITY, MURMUR

INFO: dict[str, Any] = {
    "@type": "neuroglancer_annotations_v1",
    "dimensions": {"x": [8e-9, "m"], "y": [8e-9, "m"], "z": [30, "nm"]},
    "lower_bound": [0, -5, 0.5],
    "upper_bound": [100, 100, 100],
    "annotation_type": "LINE",
    "properties": [
        {"id": "conf", "type": "float32", "description": "0 to 1", "default": 1},
        {"id": "kind", "type": "uint8", "enum_values": [0, 1], "enum_labels": ["chemical", "gap"]},
    ],
    "relationships": [
        {"id": "pre", "key": "./rel/pre/"},
        {"id": "post", "key": "../post", "sharding": MURMUR},
    ],
    "by_id": {"key": "by_id", "sharding": IDENTITY},
    "spatial": [{"key": "s0", "grid_shape": [1, 2, 3], "chunk_size": [100, 50.5, 34], "limit": 1}],
    "segment_properties": "whatever",
}


def parse(**changes: object) -> Collection:
    return parse_annotation_info(json.dumps({**INFO, **changes}).encode())


def test_an_info_is_read() -> None:
    collection = parse()
    assert [dimension.name for dimension in collection.dimensions] == ["x", "y", "z"]
    assert [dimension.scale_nm for dimension in collection.dimensions] == pytest.approx([8, 8, 30])
    assert list(collection.origin) == [0, -5, 0.5]
    assert list(collection.upper_bound or ()) == [100, 100, 100]
    assert collection.annotation_type == "line"
    conf, kind = collection.properties
    assert (conf.id, conf.type, conf.labels) == ("conf", PropertyType.FLOAT32, ())
    assert list(kind.labels) == [(0, "chemical"), (1, "gap")]
    pre, post = collection.relationships
    assert (pre.index.key, pre.index.sharding) == ("rel/pre", None)
    assert post.index.sharding is not None
    assert (post.index.key, post.index.sharding.hash) == ("../post", ShardHash.MURMURHASH3_X86_128)
    assert collection.by_id is not None
    (level,) = collection.levels
    assert (level.grid_shape, level.chunk_size, level.num_cells) == ((1, 2, 3), (100, 50.5, 34), 6)


@pytest.mark.parametrize("kind", AnnotationType)
def test_the_type_may_be_written_in_any_case(kind: AnnotationType) -> None:
    for text in (kind.value, kind.value.upper(), kind.value.title()):
        assert parse(annotation_type=text).annotation_type is kind


def test_what_some_writers_leave_out_is_not_needed() -> None:
    assert parse(by_id={}).by_id is None
    document = {key: value for key, value in INFO.items() if key not in {"properties", "by_id"}}
    collection = parse_annotation_info(json.dumps(document).encode())
    assert (collection.properties, collection.by_id) == ((), None)
    assert parse(spatial=[]).levels == ()
    assert parse(relationships=[]).relationships == ()


def test_the_order_of_dimensions_is_that_of_the_file() -> None:
    dimensions = {"z": [1, "um"], "y": [2, "um"], "x": [3, "um"]}
    assert [each.scale_nm for each in parse(dimensions=dimensions).dimensions] == [1000, 2000, 3000]


@pytest.mark.parametrize(
    ("unit", "scale_nm"),
    [
        ("m", 1e9),
        ("mm", 1e6),
        ("um", 1e3),
        ("\u00b5m", 1e3),
        ("\u03bcm", 1e3),
        ("nm", 1),
        ("pm", 1e-3),
        ("cm", 1e7),
        ("km", 1e12),
        ("", None),
        ("s", None),
        ("ms", None),
        ("Hz", None),
        ("rad/s", None),
    ],
)
def test_units_are_si(unit: str, scale_nm: float | None) -> None:
    (x, _, _) = parse(dimensions={"x": [1, unit], "y": [1, "m"], "z": [1, "m"]}).dimensions
    assert x.scale_nm == (None if scale_nm is None else pytest.approx(scale_nm))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dimensions": {"x": [1, "m"], "y": [1, "m"]}}, "dimensions has 2 entries"),
        ({"dimensions": {axis: [1, "m"] for axis in "xyzt"}}, "dimensions has 4 entries"),
        ({"dimensions": {"x": [0, "m"], "y": [1, "m"], "z": [1, "m"]}}, "dimensions 'x' has a scale"),
        ({"dimensions": {"x": [1, "ft"], "y": [1, "m"], "z": [1, "m"]}}, "unit 'ft'"),
        ({"dimensions": {"x": [1], "y": [1, "m"], "z": [1, "m"]}}, "'x' is not a scale and a unit"),
        (
            {"dimensions": {"x": {"coordinates": [1], "labels": ["a"]}, "y": [1, "m"], "z": [1, "m"]}},
            "lists the coordinates of 'x'",
        ),
        ({"dimensions": []}, "dimensions is not a JSON object"),
        ({"annotation_type": "circle"}, "annotation_type is 'circle'"),
        ({"annotation_type": 3}, "annotation_type is 3"),
        ({"lower_bound": [1, 2]}, "lower_bound is not a list of 3 numbers"),
        ({"lower_bound": [1, 2, "3"]}, "lower_bound holds something other than numbers"),
        ({"lower_bound": [1, 2, float("nan")]}, "lower_bound is not finite"),
        ({"upper_bound": None}, "upper_bound is not a list"),
        ({"properties": [{"id": "a", "type": "uint64"}]}, "properties entry 0: type is 'uint64'"),
        ({"properties": [{"id": "A", "type": "uint8"}]}, "properties entry 0: id is 'A'"),
        ({"properties": [{"id": "a", "type": "rgb"}] * 2}, "properties holds the id 'a' twice"),
        (
            {"properties": [{"id": "a", "type": "int8", "enum_values": [1]}]},
            "entry 0: enum_labels is missing",
        ),
        (
            {"properties": [{"id": "a", "type": "int8", "enum_values": [1], "enum_labels": []}]},
            "1 enum_values and 0 enum_labels",
        ),
        ({"relationships": None}, "relationships is not a list"),
        ({"relationships": [{"id": "a", "key": "a"}] * 2}, "relationships holds the id 'a' twice"),
        ({"relationships": [{"id": "a", "key": "/a"}]}, "not a relative path"),
        ({"relationships": [], "spatial": []}, "both empty"),
        ({"spatial": [{"key": "a", "grid_shape": [0, 1, 1], "chunk_size": [1, 1, 1]}]}, "not at least 1"),
        ({"spatial": [{"key": "a", "grid_shape": [1, 1], "chunk_size": [1, 1]}]}, "list of 3 numbers"),
        ({"spatial": [{"key": "a", "grid_shape": [1, 1, 1], "chunk_size": [0, 1, 1]}]}, "positive number"),
        (
            {"spatial": [{"key": "a", "grid_shape": [2**22, 2**22, 2**21], "chunk_size": [1, 1, 1]}]},
            "more cells than can be numbered",
        ),
        ({"by_id": 5}, "by_id is not a JSON object"),
        ({"@type": "neuroglancer_multiscale_volume"}, "@type is"),
    ],
)
def test_what_cannot_be_served_is_refused_with_the_key_at_fault(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse(**changes)
    assert words in str(caught.value)


@pytest.mark.parametrize("member", ["dimensions", "lower_bound", "upper_bound", "relationships", "spatial"])
def test_members_that_neuroglancer_needs_are_needed(member: str) -> None:
    document = {key: value for key, value in INFO.items() if key != member}
    with pytest.raises(FormatError, match=f"{member} is missing"):
        parse_annotation_info(json.dumps(document).encode())


def test_infinite_bounds_of_an_empty_collection_are_ignored_with_a_warning() -> None:
    one_cell = [{"key": "s0", "grid_shape": [1, 1, 1], "chunk_size": [1, 1, 1], "limit": 0}]
    collection = parse(lower_bound=[float("inf")] * 3, upper_bound=[-float("inf")] * 3, spatial=one_cell)
    assert (collection.origin, collection.upper_bound) == ((0, 0, 0), None)
    assert "lower_bound is not finite" in collection.warnings[0]


def test_collections_are_told_by_their_type() -> None:
    assert is_annotation_info(json.dumps(INFO).encode())
    assert is_annotation_info(json.dumps({**INFO, "lower_bound": [float("inf")] * 3}).encode())
    for other in (b"", b"{", b"[]", b"{}", b'{"@type": 5}', b'{"@type": "neuroglancer_multiscale_volume"}'):
        assert not is_annotation_info(other)
