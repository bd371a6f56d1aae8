"""Bodies of keyvalues requests, in JSON and protobuf; malformed ones are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.errors import RequestError
from dvidpc.formats.dvid.key_requests import (
    ByteSpan,
    KeyRead,
    parse_json_ids,
    parse_json_reads,
    parse_protobuf_reads,
)


@pytest.mark.parametrize(
    ("body", "reads"),
    [
        (b"[]", []),
        (b"null", []),
        (b'["a", "b"]', [KeyRead("a"), KeyRead("b")]),
        (b'[{"key": "a"}, "b"]', [KeyRead("a"), KeyRead("b")]),
        (b'[{"key": "a", "byte_start": 0, "byte_end": 3}]', [KeyRead("a", ByteSpan(0, 3))]),
    ],
)
def test_json_lists_keys(body: bytes, reads: list[KeyRead]) -> None:
    assert parse_json_reads(body) == reads


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "unexpected end of JSON input"),
        (b"x", "invalid character 'x' looking for beginning of value"),
        (b"[1]", "json: cannot unmarshal number into Go value of type keyvalue.jsonKeyReadRequest"),
        (b"{}", r"cannot unmarshal object into Go value of type \[\]keyvalue.jsonKeyReadRequest"),
        (b'[{"key": "a", "byte_start": 0}]', "requires both byte_start and byte_end"),
        (b'[{"key": "a", "byte_start": -1, "byte_end": 2}]', "negative"),
        (b'["a"', "truncated"),
        (b"[" * 100_000, "array"),
    ],
)
def test_malformed_json_is_refused(body: bytes, text: str) -> None:
    with pytest.raises(RequestError, match=text):
        parse_json_reads(body)


def test_ids_may_be_numbers_or_text() -> None:
    assert parse_json_ids(b'[5, "77", 18446744073709551615]') == [
        KeyRead("5"),
        KeyRead("77"),
        KeyRead("18446744073709551615"),
    ]
    with pytest.raises(RequestError):
        parse_json_ids(b"[1.5]")


@pytest.mark.parametrize(
    ("body", "reads"),
    [
        (b"", []),
        (b"\x0a\x01a\x0a\x02bc", [KeyRead("a"), KeyRead("bc")]),
        (b"\x12\x07\x0a\x01a\x10\x05\x18\x0c\x0a\x01b", [KeyRead("b"), KeyRead("a", ByteSpan(5, 12))]),
        (b"\x18\x01\x25\x00\x00\x00\x00\x0a\x01a", [KeyRead("a")]),
    ],
)
def test_protobuf_lists_keys(body: bytes, reads: list[KeyRead]) -> None:
    assert parse_protobuf_reads(body) == reads


@pytest.mark.parametrize(
    "body", [b"\x0a", b"\x0a\x05ab", b"\x08\x01", b"\x0a\x01\xff", b"\x0b", b"\x02\x01a", b"\xff" * 20]
)
def test_malformed_protobuf_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError):
        parse_protobuf_reads(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_keys_or_refused(body: bytes) -> None:
    for parse in (parse_protobuf_reads, parse_json_reads, parse_json_ids):
        try:
            reads = parse(body)
        except RequestError:
            continue
        assert all(isinstance(read.key, str) for read in reads)


def test_a_span_outside_of_the_value_is_refused() -> None:
    assert ByteSpan(1, 2).cut("k", b"abcd") == b"bc"
    with pytest.raises(RequestError, match='byte_end 4 is outside value for key "k" with 4 bytes'):
        ByteSpan(1, 4).cut("k", b"abcd")
    with pytest.raises(RequestError, match="byte_start 3 must be <= byte_end 2"):
        ByteSpan(3, 2).cut("k", b"abcd")
