"""Warnings and errors that come too often are held back and counted."""

import logging

from dvidpc.log.storms import MOST, PERIOD_S, StormFilter


def record(text: str, level: int = logging.ERROR, argument: int = 0) -> logging.LogRecord:
    return logging.LogRecord("dvidpc.test", level, "", 0, text, (argument,), None)


def test_messages_of_one_kind_are_held_back_and_counted() -> None:
    now = [0.0]
    storm = StormFilter(clock=lambda: now[0])
    passed = [storm.filter(record("bucket %d is down", argument=number)) for number in range(MOST + 7)]
    assert passed == [True] * MOST + [False] * 7
    assert storm.filter(record("another %d"))
    now[0] = PERIOD_S
    following = record("bucket %d is down", argument=3)
    assert storm.filter(following)
    assert following.getMessage() == "bucket 3 is down (7 more like this were not logged)"


def test_what_is_no_warning_is_never_held_back() -> None:
    storm = StormFilter(clock=lambda: 0.0)
    assert all(storm.filter(record("request %d", logging.INFO)) for _ in range(MOST * 3))
