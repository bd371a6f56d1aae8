"""JSON of labels and positions, compared with DVID's recorded answers and refusals."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.errors import RequestError
from dvidpc.formats.dvid.labels_json import (
    check_content_hash,
    encode_label,
    encode_labels,
    parse_ids,
    parse_points,
)
from tests.recorded_labels import Answer, find

INSTANCES = ("segmentation", "segmentation_noindex")
LABELS = [a for one in INSTANCES for status in (200, 400) for a in find(one, "labels", status)]
MAPPING = [
    a
    for one in INSTANCES
    for status in (200, 400)
    for a in find(one, "mapping", status)
    if not a.path.startswith("mappings")
]
REFUSED_HERE = ("[[1,2]]", "[[1,2,3,4]]")
"""DVID fills positions up with 0, or cuts them."""


def name(answer: Answer) -> str:
    return f"{answer.instance}/{answer.path}/{answer.request_body.decode()[:30]}"


@pytest.mark.parametrize(
    "answer", [a for a in LABELS if a.request_body.decode() not in REFUSED_HERE], ids=name
)
def test_positions_are_read_or_refused_as_dvid_does(answer: Answer) -> None:
    if answer.status == 400 and "hash" not in answer.path:
        with pytest.raises(RequestError) as refusal:
            parse_points(answer.request_body)
        assert str(refusal.value) == answer.error
    else:
        assert parse_points(answer.request_body).tolist() == (json.loads(answer.request_body) or [])


@pytest.mark.parametrize("answer", MAPPING, ids=name)
def test_labels_are_read_or_refused_as_dvid_does(answer: Answer) -> None:
    if answer.status == 400 and "hash" not in answer.path:
        with pytest.raises(RequestError) as refusal:
            parse_ids(answer.request_body)
        assert str(refusal.value) == answer.error
    else:
        assert parse_ids(answer.request_body).tolist() == (json.loads(answer.request_body) or [])


@pytest.mark.parametrize("answer", [a for a in LABELS + MAPPING if "hash=" in a.path], ids=name)
def test_hashes_are_checked_as_dvid_does(answer: Answer) -> None:
    expected = answer.path.partition("hash=")[2]
    if answer.status == 400:
        with pytest.raises(RequestError) as refusal:
            check_content_hash(answer.request_body, expected)
        assert str(refusal.value) == answer.error
    else:
        check_content_hash(answer.request_body, expected)
        check_content_hash(answer.request_body, "")


@pytest.mark.parametrize("answer", [a for one in INSTANCES for a in find(one, "label/")], ids=name)
def test_the_answer_to_label(answer: Answer) -> None:
    assert encode_label(json.loads(answer.body)["Label"]) == answer.body


@pytest.mark.parametrize("answer", [a for a in LABELS + MAPPING if a.status == 200], ids=name)
def test_the_answer_to_labels_and_mapping(answer: Answer) -> None:
    assert encode_labels(np.array(json.loads(answer.body), np.uint64)) == answer.body


def test_there_are_enough_recordings() -> None:
    assert min(len(LABELS), len(MAPPING)) >= 15


@given(st.lists(st.tuples(*[st.integers(-(2**31), 2**31 - 1)] * 3)))
def test_any_positions(points: list[tuple[int, int, int]]) -> None:
    assert parse_points(json.dumps(points).encode()).tolist() == [list(point) for point in points]


@given(st.lists(st.one_of(st.integers(0, 2**64 - 1), st.sampled_from([2**53 + 1, 2**63 + 7, 2**64 - 1]))))
def test_any_labels(labels: list[int]) -> None:
    ids = parse_ids(json.dumps(labels).encode())
    assert ids.tolist() == labels
    assert json.loads(encode_labels(ids)) == labels


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[[1,2]]", "a position has 3 numbers, not 2"),
        (b"[[1,2,3,4]]", "a position has 3 numbers, not 4"),
        (b"[[2147483648,0,0]]", "json: cannot unmarshal number 2147483648 into Go value of type int32"),
        (b"[[0,0,1.0]]", "json: cannot unmarshal number 1.0 into Go value of type int32"),
        (b"[[0,0,1e2]]", "json: cannot unmarshal number 1e2 into Go value of type int32"),
        (b"[[1,2,3],null]", "json: cannot unmarshal null into Go value of type dvid.Point3d"),
        (b"[[1,true,3]]", "json: cannot unmarshal bool into Go value of type int32"),
        (b"5", r"json: cannot unmarshal number into Go value of type \[\]dvid.Point3d"),
        (b"[[1,2,3]] [", "JSON is malformed: trailing characters"),
        (b"[[1,2,x]]", "JSON is malformed: invalid character"),
        (b"  ", "unexpected end of JSON input"),
        (b"[" * 100_000, "exceeded max depth"),
        (b"[[1,2," + b"9" * 5000 + b"]]", "json: cannot unmarshal number 9{40} into Go value of type int32"),
    ],
)
def test_other_refusals_of_positions(body: bytes, reason: str) -> None:
    with pytest.raises(RequestError, match=f"^Bad labels request JSON: {reason}"):
        parse_points(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[-1]", "json: cannot unmarshal number -1 into Go value of type uint64"),
        (b"[1, 1e3]", "json: cannot unmarshal number 1e3 into Go value of type uint64"),
        (b"[[1]]", "json: cannot unmarshal array into Go value of type uint64"),
        (b"[" + b"9" * 5000 + b"]", "json: cannot unmarshal number 9{40} into Go value of type uint64"),
        (b"\xff", "JSON is malformed"),
    ],
)
def test_other_refusals_of_labels(body: bytes, reason: str) -> None:
    with pytest.raises(RequestError, match=f"^Bad sizes request JSON: {reason}"):
        parse_ids(body, "sizes")
