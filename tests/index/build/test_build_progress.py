"""How far a build is, as lines and as a bar."""

import io
import json

from rich.console import Console

from dvidpc.index.build.build_progress import Bar, Lines
from dvidpc.index.build.dask_run import Stage
from tests.waiting import Clock


def test_lines_come_at_the_start_at_the_end_and_now_and_then() -> None:
    out, clock = io.StringIO(), Clock()
    lines = Lines(out, as_json=False, clock=clock)
    for now, stage in (
        (1, Stage("map", 20, 100, 0)),
        (2, Stage("map", 21, 100, 8)),
        (11, Stage("map", 50, 100, 240)),
        (32, Stage("map", 99, 100, 640)),
        (33, Stage("map", 100, 100, 660)),
        (34, Stage("reduce", 0, 4, 660)),
    ):
        clock.now = now
        lines(stage)
    lines.close()
    assert out.getvalue().splitlines() == [
        "map: 20 of 100, 0 chunks/s",
        "map: 99 of 100, 20 chunks/s",
        "map: 100 of 100, 20 chunks/s",
        "reduce: 0 of 4, 19 chunks/s",
    ]


def test_json_lines_come_every_second() -> None:
    out, clock = io.StringIO(), Clock()
    lines = Lines(out, as_json=True, clock=clock)
    for now in (0.5, 0.6, 1.6):
        clock.now = now
        lines(Stage("map", 1, 9, 64))
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [
        {"stage": "map", "done": 1, "total": 9, "chunks": 64, "seconds": seconds} for seconds in (0.5, 1.6)
    ]


def test_the_bar_shows_rate_and_remaining_time() -> None:
    out = io.StringIO()
    bar = Bar(Console(file=out, force_terminal=True, width=100))
    bar(Stage("map", 1, 4, 2**40))
    bar(Stage("map", 4, 4, 2**40))
    bar(Stage("reduce", 1, 2, 2**40))
    bar.close()
    text = out.getvalue()
    assert "4/4" in text
    assert "1/2" in text
    assert "chunks/s" in text
    assert "0:00:00" in text
