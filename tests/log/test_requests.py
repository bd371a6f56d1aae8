"""One request as a line of text and as fields."""

import json

from dvidpc.log.line_formats import JsonFormatter, TextFormatter
from dvidpc.log.requests import RequestLine, RequestLines
from tests.log.records import NOON, record

LINE = RequestLine(
    time=NOON,
    id="5f3a-1c",
    client="10.1.2.3",
    method="GET",
    endpoint="specificblocks",
    instance="em",
    call="specificblocks",
    status="200",
    ms=12.34,
    blocks=100,
    omitted=0,
    bytes=4012345,
    upstream=3,
    hits=97,
    disk=0,
    app="neuclease",
    user="",
)
TEXT = (
    "request id=5f3a-1c client=10.1.2.3 method=GET endpoint=specificblocks status=200 ms=12.3 blocks=100 "
    "bytes=4012345 upstream=3 hits=97"
)


def test_empty_fields_are_left_out_of_the_text() -> None:
    assert str(LINE) == f"{TEXT} instance=em call=specificblocks app=neuclease"


def test_texts_of_a_client_are_quoted_if_they_need_it() -> None:
    line = LINE._replace(omitted=2, instance="", call="", app='a "b"\n', user="katz")
    assert str(line) == f'{TEXT} omitted=2 app="a \\"b\\"\\n" user=katz'


def test_fields_leave_out_the_time_and_what_is_empty() -> None:
    assert LINE.fields() == {
        "id": "5f3a-1c",
        "client": "10.1.2.3",
        "method": "GET",
        "endpoint": "specificblocks",
        "instance": "em",
        "call": "specificblocks",
        "status": "200",
        "ms": 12.3,
        "blocks": 100,
        "bytes": 4012345,
        "upstream": 3,
        "hits": 97,
        "app": "neuclease",
    }
    assert LINE._replace(omitted=2).fields()["omitted"] == 2
    assert LINE._replace(disk=3).fields()["disk"] == 3


def test_reads_from_the_disk_cache_follow_the_hits_in_memory() -> None:
    assert str(LINE._replace(disk=3)) == f"{TEXT} disk=3 instance=em call=specificblocks app=neuclease"


def test_several_requests_are_a_line_each_in_both_formats() -> None:
    both = record(RequestLines([LINE, LINE._replace(id="\udc80")]))
    first, second = TextFormatter().format(both).split("\n")
    assert first == f"2026-11-22 12:57:44.000Z INFO  {LINE}"
    assert str(both.msg) == f"{LINE}\n{LINE._replace(id=chr(0xDC80))}"
    assert second.startswith("2026-11-22 12:57:44.000Z INFO  request id=")
    first, second = JsonFormatter().format(both).split("\n")
    head = {
        "time": "2026-11-22T12:57:44.000Z",
        "level": "INFO",
        "logger": "dvidpc.test",
        "message": "request",
    }
    assert json.loads(first) == head | LINE.fields()
    assert json.loads(second)["id"] == "\\udc80"
