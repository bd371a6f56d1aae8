"""Query parameters that several endpoints share."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.dvid.url.query import parse_payload, parse_switch
from dvidpc.errors import RequestError
from dvidpc.formats.payloads import JPEG, UNCOMPRESSED


def test_compression_is_one_of_two_words() -> None:
    assert parse_payload("", JPEG) is JPEG
    assert parse_payload("uncompressed", JPEG) is UNCOMPRESSED
    for wrong in ("lz4", "JPEG", " jpeg"):
        with pytest.raises(RequestError, match=f"don't understand 'compression' query string value: {wrong}"):
            parse_payload(wrong, JPEG)


@given(st.text(max_size=50))
def test_any_compression_is_parsed_or_refused(text: str) -> None:
    with contextlib.suppress(RequestError):
        parse_payload(text, JPEG)


def test_a_switch_is_on_or_true() -> None:
    query = {"a": "on", "b": "true", "c": "off", "d": "ON"}
    assert [name for name in "abcde" if parse_switch(query, name)] == ["a", "b"]
