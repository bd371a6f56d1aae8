"""Log records as lines of text and as JSON objects."""

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.log.line_formats import JsonFormatter, TextFormatter
from tests.log.records import record


def failed_record() -> logging.LogRecord:
    made = record("it failed")
    error = ValueError("first\n2026-11-22 12:57:44.123Z INFO  forged\x1b[0m")
    made.exc_info = (ValueError, error, None)
    return made


TEXTS = [
    (record("opened %s", "em"), "2026-11-22 12:57:44.123Z INFO  opened em"),
    (record("late", level=logging.WARNING), "2026-11-22 12:57:44.123Z WARNING late"),
    (record("a\nb\r\n\x00\x1b[31m"), "2026-11-22 12:57:44.123Z INFO  a\\nb\\r\\n\\x00\\x1b[31m"),
    (record("é\u2028\udc80"), "2026-11-22 12:57:44.123Z INFO  é\\u2028\\udc80"),
    (
        record("%d blocks", "x"),
        "2026-11-22 12:57:44.123Z INFO  %d blocks (its arguments cannot be formatted: TypeError)",
    ),
]


@pytest.mark.parametrize(("made", "line"), TEXTS)
def test_record_is_one_line_of_text(made: logging.LogRecord, line: str) -> None:
    assert TextFormatter().format(made) == line


def test_traceback_follows_on_indented_lines() -> None:
    first, *following = TextFormatter().format(failed_record()).split("\n")
    assert first == "2026-11-22 12:57:44.123Z INFO  it failed"
    assert following == ["    ValueError: first", "    2026-11-22 12:57:44.123Z INFO  forged\\x1b[0m"]


def test_record_is_one_json_object() -> None:
    line = JsonFormatter().format(record("a\n%s\udc80", "b"))
    assert line == (
        '{"time":"2026-11-22T12:57:44.123Z","level":"INFO","logger":"dvidpc.test","message":"a\\nb\\\\udc80"}'
    )


def test_traceback_is_a_field_of_the_json_object() -> None:
    line = JsonFormatter().format(failed_record())
    assert "\n" not in line
    assert json.loads(line)["traceback"].startswith("ValueError: first\n")


@given(st.text())
def test_any_message_is_one_line_in_either_format(message: str) -> None:
    assert TextFormatter().format(record("%s", message)).isprintable()
    line = JsonFormatter().format(record("%s", message))
    assert "\n" not in line
    assert json.loads(line)["message"] == message
