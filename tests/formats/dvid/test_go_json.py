"""JSON, quoted strings, times and durations, compared with what Go writes."""

import json
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.formats.dvid.go_json import (
    JsonValue,
    encode,
    format_duration,
    format_go_time,
    format_time,
    quote,
    sorted_map,
)

ENCODED: list[tuple[JsonValue, str]] = [
    (None, "null"),
    (True, "true"),
    (False, "false"),
    (0, "0"),
    (-(2**63), "-9223372036854775808"),
    ([], "[]"),
    ((), "[]"),
    ({}, "{}"),
    ([1, [2, []], {}], "[1,[2,[]],{}]"),
    ({"b": 1, "a": {"z": None, "B": True}}, '{"b":1,"a":{"z":null,"B":true}}'),
    ("", '""'),
    ("<a href='x'>&</a>", "\"\\u003ca href='x'\\u003e\\u0026\\u003c/a\\u003e\""),
    ({"<k>": 1}, '{"\\u003ck\\u003e":1}'),
    ('"\\/', '"\\"\\\\/"'),
    ("\n\r\t\b\f\0\x1f\x7f", '"\\n\\r\\t\\b\\f\\u0000\\u001f\x7f"'),
    ("\u2028\u2029", '"\\u2028\\u2029"'),
    ("ö 細胞 🧠", '"ö 細胞 🧠"'),
    ("\ud800", '"\ufffd"'),
    ({"\udcff": 1}, '{"\ufffd":1}'),
]

FLOATS = [
    (8.0, "8"),
    (16.5, "16.5"),
    (33.3, "33.3"),
    (33.25, "33.25"),
    (-2.5, "-2.5"),
    (0.0, "0"),
    (-0.0, "-0"),
    (0.1, "0.1"),
    (1 / 3, "0.33333334"),
    (16777216.0, "16777216"),
    (16777217.0, "16777216"),
    (123456789.0, "123456790"),
    (0.00001, "0.00001"),
    (1e-6, "0.000001"),
    (9.9999e-7, "9.9999e-7"),
    (1e-7, "1e-7"),
    (5.9604645e-08, "5.9604645e-8"),
    (1.5e-10, "1.5e-10"),
    (1e-45, "1e-45"),
    (1e-50, "0"),
    (1e20, "100000000000000000000"),
    (1e21, "1e+21"),
    (2.5e30, "2.5e+30"),
    (3.4028235e38, "3.4028235e+38"),
]


@pytest.mark.parametrize(("value", "text"), ENCODED)
def test_values_are_written_as_go_writes_them(value: JsonValue, text: str) -> None:
    assert encode(value) == text.encode()


@pytest.mark.parametrize(("value", "text"), FLOATS)
def test_floats_are_the_shortest_float32(value: float, text: str) -> None:
    assert encode(value) == text.encode()


@pytest.mark.parametrize("value", [1e39, -1e300, float("nan"), float("inf"), float("-inf")])
def test_what_is_no_float32_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="is not a float32"):
        encode([value])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    )
)
def test_any_reader_of_json_gets_the_value_back(value: JsonValue) -> None:
    assert json.loads(encode(value)) == value


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float32_comes_back_whole_and_no_longer_than_python_writes_it(value: float) -> None:
    text = encode(value).decode()
    assert float(np.float32(text)) == value
    assert len(text.split("e")[0].strip("-0.")) <= len(repr(value).split("e")[0].strip("-0."))


def test_a_map_is_sorted_by_the_bytes_of_its_keys() -> None:
    entries = dict.fromkeys(["b", "a", "é", "Z", "a_1", "a1", "", "\U0001f9e0", "\uffee"], 0)
    assert list(sorted_map(entries)) == sorted(entries, key=str.encode)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("", '""'),
        ("a:b:c", '"a:b:c"'),
        ('say "x" \\', '"say \\"x\\" \\\\"'),
        ("\a\b\f\n\r\t\v\0\x7f", '"\\a\\b\\f\\n\\r\\t\\v\\x00\\x7f"'),
        ("é細\u00a0\u00ad\u2028\ufeff", '"é細\\u00a0\\u00ad\\u2028\\ufeff"'),
        ("🧠\U000e0001", '"🧠\\U000e0001"'),
    ],
)
def test_quote_is_percent_q(text: str, quoted: str) -> None:
    assert quote(text) == quoted


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1795353464, "2026-11-22T13:17:44Z"),
        (1795353464.5, "2026-11-22T13:17:44.5Z"),
        (1795353464.25, "2026-11-22T13:17:44.25Z"),
        (datetime(2026, 11, 22, 13, 19, 0, 196366, tzinfo=UTC), "2026-11-22T13:19:00.196366Z"),
        (datetime(2026, 11, 22, 13, 19, 0, 100, tzinfo=UTC), "2026-11-22T13:19:00.0001Z"),
        (datetime(2026, 11, 22, 8, 19, tzinfo=timezone(timedelta(hours=-5))), "2026-11-22T13:19:00Z"),
    ],
)
def test_times_are_rfc3339_in_utc_without_trailing_zeros(moment: datetime | float, text: str) -> None:
    assert format_time(moment) == text


def test_a_time_as_go_prints_it() -> None:
    assert format_go_time(1795353464.25) == "2026-11-22 13:17:44.25 +0000 UTC"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.000_02, "20µs"),
        (0.5, "500ms"),
        (0.001_5, "1.5ms"),
        (1, "1s"),
        (27.478, "27.478s"),
        (60, "1m0s"),
        (3723.5, "1h2m3.5s"),
        (360_000, "100h0m0s"),
    ],
)
def test_durations_are_gos(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
