"""Which objects a query of neuronjson matches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.errors import RequestError
from dvidpc.formats.dvid.annotation_queries import ids_of, make_matcher, parse_queries
from dvidpc.formats.dvid.go_json import JsonValue

BODY: dict[str, JsonValue] = {
    "bodyid": 2**63 + 7,
    "type": "Mi1",
    "tags": ["a", "b"],
    "flag": True,
    "part": 0.5,
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (b'{"type": "Mi1"}', True),
        (b'{"type": "mi1"}', False),
        (b'{"type": ["Tm3", "Mi1"]}', True),
        (b'{"type": []}', False),
        (b'{"tags": "b"}', True),
        (b'{"tags": ["x", "b"]}', True),
        (b'{"bodyid": 9223372036854775815}', True),
        (b'{"bodyid": [1, 9223372036854775815]}', True),
        (b'{"bodyid": "9223372036854775815"}', False),
        (b'{"type": "Mi1", "tags": "x"}', False),
        (b'[{"type": "x"}, {"tags": "a"}]', True),
        (b'{"type": "re/[MT].*"}', True),
        (b'{"type": "re/^i"}', False),
        (b'{"tags": ["x", "re/^b$"]}', True),
        (b'{"bodyid": "re/9"}', False),
        (b'{"type": "exists/1"}', True),
        (b'{"type": "exists/0"}', False),
        (b'{"nosuch": "exists/0"}', True),
        (b'{"nosuch": "exists/1"}', False),
        (b'{"nosuch": null}', False),
        (b'{"flag": true}', False),
        (b'{"flag": 1}', False),
        (b'{"part": 0.5}', False),
        (b"{}", False),
    ],
)
def test_a_query_matches_as_in_dvid(query: bytes, expected: object) -> None:
    assert make_matcher(parse_queries(query))(BODY) is expected


@pytest.mark.parametrize("body", [b"", b"x", b"1", b"[1]", b"[[]]", b"null", b"\xff"])
def test_what_is_no_query_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError, match="unable to parse JSON query"):
        parse_queries(body)


def test_an_empty_list_is_no_query() -> None:
    with pytest.raises(RequestError, match="no query provided"):
        parse_queries(b"[]")


@pytest.mark.parametrize("query", [b'{"type": "re/M(i"}', b'{"type": ["a", "re/[M"]}'])
def test_malformed_expressions_are_refused(query: bytes) -> None:
    with pytest.raises(RequestError, match=r"regular expression .* is malformed"):
        make_matcher(parse_queries(query))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"bodyid": 5}', {5}),
        (b'[{"bodyid": [5, 6], "type": "x"}, {"bodyid": 7}]', {5, 6, 7}),
        (b'[{"bodyid": 5}, {"type": "x"}]', None),
        (b'{"bodyid": "exists/1"}', None),
    ],
)
def test_ids_that_a_query_names_are_found(body: bytes, expected: set[int] | None) -> None:
    assert ids_of(parse_queries(body), "bodyid") == expected


@given(st.binary(max_size=100))
def test_any_bytes_are_a_query_or_refused(body: bytes) -> None:
    try:
        matches = make_matcher(parse_queries(body))
    except RequestError:
        return
    assert matches(BODY) in {True, False}
