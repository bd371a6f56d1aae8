"""Segment properties become the JSON objects that DVID's neuronjson has; 64-bit ids stay exact."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.errors import FormatError
from dvidpc.formats.dvid import go_json
from dvidpc.formats.precomputed.segment_properties import SegmentProperties, parse_segment_properties
from tests.segments import RECORDED

IDS = ["77", str(2**53 + 1), "5", str(2**64 - 1), str(2**63 + 7), "1000"]
LABEL = {"id": "type", "type": "label", "values": ["Mi1", "Mi1", "Tm3", "big", "a<b", ""]}
TAGS = {"id": "tags", "type": "tags", "tags": ["L2", "x"], "values": [[], [0], [0, 1], [], [], []]}
SCORE = {
    "id": "confidence",
    "type": "number",
    "data_type": "float32",
    "values": [0.75, 1, 0.1, None, -2, 1e9],
}
GROUP = {"id": "group", "type": "number", "data_type": "int8", "values": [1, 2.0, -128, 127, None, 3.9]}
NOTE = {"id": "note", "type": "description", "description": "what", "values": ["", "b", "c", "ü ☃", "e", "f"]}


def document(*properties: dict[str, Any], ids: list[Any] = IDS) -> bytes:
    inline = {"ids": ids, "properties": properties}
    return json.dumps({"@type": "neuroglancer_segment_properties", "inline": inline}).encode()


def parse(*properties: dict[str, Any], ids: list[Any] = IDS) -> SegmentProperties:
    return parse_segment_properties(document(*properties, ids=ids))


def test_objects_are_those_of_dvid() -> None:
    """In shape as DVID's recorded `key/5`: sorted members, `bodyid` a number, null members left out."""
    properties = parse(LABEL, TAGS, SCORE, GROUP, NOTE)
    texts = {each: go_json.encode(found).decode() for each, found in properties.objects()}
    assert texts == {
        5: '{"bodyid":5,"confidence":0.1,"group":-128,"name":"Tm3","note":"c","tags":["L2","x"],'
        '"type":"Tm3"}',
        77: '{"bodyid":77,"confidence":0.75,"group":1,"name":"Mi1","note":"","tags":[],"type":"Mi1"}',
        1000: '{"bodyid":1000,"confidence":1000000000,"group":3,"name":"","note":"f","tags":[],"type":""}',
        2**53
        + 1: '{"bodyid":9007199254740993,"confidence":1,"group":2,"name":"Mi1","note":"b","tags":["L2"],'
        '"type":"Mi1"}',
        2**63 + 7: '{"bodyid":9223372036854775815,"confidence":-2,"name":"a\\u003cb","note":"e","tags":[],'
        '"type":"a\\u003cb"}',
        2**64
        - 1: '{"bodyid":18446744073709551615,"group":127,"name":"big","note":"ü ☃","tags":[],"type":"big"}',
    }
    assert list(texts) == sorted(texts) == properties.ids.tolist()
    assert properties.fields == ("bodyid", "confidence", "group", "name", "note", "tags", "type")


def test_objects_are_to_the_byte_what_dvid_answered() -> None:
    """`keyrangevalues` and `keys` of a real neuronjson (3400c2cb), as far as properties can express them."""
    recorded = {
        31: '{"bodyid":31,"group":77,"type":"Mi1"}',
        9223372036854775815: '{"bodyid":9223372036854775815,"type":"big"}',
    }
    properties = parse(
        {"id": "type", "type": "string", "values": ["big", "Mi1"]},
        {"id": "group", "type": "number", "data_type": "uint8", "values": [None, 77]},
        ids=["9223372036854775815", "31"],
    )
    assert {each: go_json.encode(found).decode() for each, found in properties.objects()} == recorded
    recorded_keys = ["5", "31", "77", "1000", "4242", "9007199254740993", "9223372036854775815"]
    assert parse(ids=sorted(recorded_keys)).ids.astype(str).tolist() == recorded_keys


def test_ids_are_found_exactly() -> None:
    properties = parse(LABEL)
    assert properties.find(2**53 + 1) == {"bodyid": 2**53 + 1, "name": "Mi1", "type": "Mi1"}
    for missing in (0, 2**53, 2**63 + 8, -1, 2**64):
        assert properties.find(missing) is None
    assert [each for each, _ in properties.objects(77, 2**63 + 7)] == [77, 1000, 2**53 + 1, 2**63 + 7]
    assert [each for each, _ in properties.objects(100, 5)] == []
    assert [each for each, _ in properties.objects(-5, 2**70)] == properties.ids.tolist()
    assert len(properties) == 6


def test_a_property_of_that_name_wins_over_the_label() -> None:
    name = {"id": "name", "type": "string", "values": list("abcdef")}
    bodyid = {"id": "bodyid", "type": "string", "values": list("abcdef")}
    assert parse(LABEL, name, bodyid).find(77) == {"bodyid": 77, "name": "a", "type": "Mi1"}


def test_no_inline_properties_are_none() -> None:
    properties = parse_segment_properties(b'{"@type": "neuroglancer_segment_properties"}')
    assert list(properties.objects()) == []
    assert properties.find(1) is None


def test_public_properties_are_read() -> None:
    properties = parse_segment_properties((RECORDED / "h01-properties" / "info").read_bytes())
    assert properties.find(13) == {
        "NSI": 44,
        "NSIe": 22,
        "NSIi": 22,
        "bodyid": 13,
        "tags": ["L3", "interneuron"],
    }


FAULTS = {
    "is not JSON": b"{",
    "is not a JSON object": b"[]",
    "@type is missing": b"{}",
    "@type is 'x'": b'{"@type": "x"}',
    "inline is not": b'{"@type": "neuroglancer_segment_properties", "inline": []}',
    "ids is missing": b'{"@type": "neuroglancer_segment_properties", "inline": {"properties": []}}',
    "inline properties is missing": b'{"@type": "neuroglancer_segment_properties", "inline": {"ids": []}}',
    "inline properties is not a list": document().replace(b"[]", b"{}"),
    "inline ids is not a list": document().replace(b'["77"', b'{}, "x": ["77"'),
    "inline ids holds 5 twice": document(ids=["5", "6", "5"]),
    "ids holds '-1'": document(ids=["-1"]),
    "ids holds '18446744073709551616'": document(ids=["18446744073709551616"]),
    "ids holds '1.0'": document(ids=[1.0]),
    "ids holds 'True'": document(ids=[True]),
    "inline properties holds the id 'type' twice": document(LABEL, LABEL),
    "inline property 0: type is 'x'": document(LABEL | {"type": "x"}),
    "inline property 0: id is missing": document({"type": "label", "values": [""] * 6}),
    "inline property 0: values is not a list of 6": document(LABEL | {"values": ["a"]}),
    "inline property 0: values holds 'None'": document(LABEL | {"values": ["a"] * 5 + [None]}),
    "inline property 1: tags is missing": document(LABEL, {"id": "t", "type": "tags", "values": [[]] * 6}),
    "values holds [2]": document(TAGS | {"values": [[]] * 5 + [[2]]}),
    "values holds [True]": document(TAGS | {"values": [[]] * 5 + [[True]]}),
    "data_type is 'uint64'": document(GROUP | {"data_type": "uint64"}),
    "values holds 128, which is not a number of a int8": document(GROUP | {"values": [128] * 6}),
    "values holds 'x', which is not a number": document(GROUP | {"values": ["x"] * 6}),
    "values holds 1e+39": document(SCORE | {"values": [1e39] * 6}),
}


@pytest.mark.parametrize(("reason", "data"), FAULTS.items())
def test_what_is_malformed_names_the_key(reason: str, data: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        parse_segment_properties(data)
    assert reason.replace("1e+39", "'1e+39'") in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.fixed_dictionaries(
    {
        "id": st.text(max_size=2) | JSON,
        "type": st.sampled_from(["label", "description", "string", "tags", "number"]) | JSON,
        "values": st.lists(st.text(max_size=2) | st.lists(st.integers(-1, 2), max_size=2) | JSON, max_size=3)
        | JSON,
    },
    optional={"tags": st.lists(st.text(max_size=2), max_size=2) | JSON, "data_type": st.just("uint8") | JSON},
)


@given(
    st.lists(st.integers(-1, 2**64).map(str) | JSON, max_size=3) | JSON, st.lists(ENTRIES, max_size=3) | JSON
)
def test_any_document_is_read_or_refused(ids: object, entries: object) -> None:
    inline = {"ids": ids, "properties": entries}
    data = json.dumps({"@type": "neuroglancer_segment_properties", "inline": inline}).encode()
    try:
        properties = parse_segment_properties(data)
    except FormatError:
        return
    assert isinstance(ids, list)
    assert properties.ids.tolist() == sorted(map(int, ids))
    assert properties.ids.dtype == np.uint64
    for each, found in properties.objects():
        assert found["bodyid"] == each
        json.loads(go_json.encode(found))
