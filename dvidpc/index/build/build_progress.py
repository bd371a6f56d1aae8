"""Shows how far a build is: a bar on a terminal, lines of JSON for a program, else a line now and then."""

import json
import sys
import time
from collections.abc import Callable
from typing import Final, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from dvidpc.index.build.dask_run import Stage

_JSON_EVERY_S: Final = 1.0
_LINE_EVERY_S: Final = 30.0


class Lines:
    """Writes a line when a step starts or ends, and now and then.

    Args:
        out: Where to.
        as_json: Whether to write JSON.
        clock: Seconds.
    """

    def __init__(self, out: TextIO, *, as_json: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._as_json = as_json
        self._clock = clock
        self._started = clock()
        self._last: tuple[str, float] = ("", 0.0)

    def __call__(self, stage: Stage) -> None:
        """Write a line, if it is time."""
        now = self._clock()
        name, at = self._last
        pause = _JSON_EVERY_S if self._as_json else _LINE_EVERY_S
        if stage.stage == name and now - at < pause and stage.done < stage.total:
            return
        self._last = stage.stage, now
        seconds = now - self._started
        if self._as_json:
            line = json.dumps({**stage._asdict(), "seconds": round(seconds, 3)})
        else:
            line = f"{stage.stage}: {stage.done} of {stage.total}, {rate_text(stage.chunks, seconds)}"
        self._out.write(f"{line}\n")
        self._out.flush()

    def close(self) -> None:
        """Do nothing: every line is written."""


class Bar:
    """A progress bar with the rate and the time that is left."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._started = time.monotonic()
        self._tasks: dict[str, TaskID] = {}
        self._bar.start()

    def __call__(self, stage: Stage) -> None:
        """Show a stage."""
        if stage.stage not in self._tasks:
            self._tasks[stage.stage] = self._bar.add_task(stage.stage, rate="")
        rate = rate_text(stage.chunks, time.monotonic() - self._started) if stage.stage == "map" else ""
        self._bar.update(self._tasks[stage.stage], completed=stage.done, total=stage.total, rate=rate)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.stop()


def make_progress(*, as_json: bool) -> Lines | Bar:
    """Return what shows progress: JSON on stdout, else a bar or lines on stderr."""
    if as_json:
        return Lines(sys.stdout, as_json=True)
    return Bar(Console(file=sys.stderr)) if sys.stderr.isatty() else Lines(sys.stderr, as_json=False)


def rate_text(chunks: int, seconds: float) -> str:
    """Return how many chunks were read per second."""
    return f"{chunks / max(seconds, 0.001):,.0f} chunks/s"
