"""Show how far a prefetch is: a bar on a terminal, a line now and then elsewhere."""

from collections import deque
from typing import Final, NamedTuple, Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from dvidpc.log.quantities import describe_seconds, describe_size

BAR_EVERY_S: Final = 0.5
LINE_EVERY_S: Final = 10.0
WINDOW_S: Final = 30.0
"""The time over which rates are measured. What is on disk already goes by faster than the rest."""


class Moment(NamedTuple):
    """How far a prefetch is at one moment."""

    now: float
    """Seconds, monotonic."""
    done: int
    """Chunks."""
    nbytes: int
    """Bytes read from the bucket."""


class Speed:
    """How fast chunks and bytes go by, measured over the last `WINDOW_S`."""

    def __init__(self, start: Moment) -> None:
        self._moments = deque([start])

    def note(self, moment: Moment) -> None:
        """Take the next moment, and forget old ones."""
        self._moments.append(moment)
        while len(self._moments) > 2 and moment.now - self._moments[1].now >= WINDOW_S:
            self._moments.popleft()

    def describe(self, total: int) -> str:
        """Return where it stands, the rate, and the time that is left, for *total* chunks."""
        first, last = self._moments[0], self._moments[-1]
        seconds = last.now - first.now
        share = 100 * last.done // max(1, total)
        text = f"{last.done:,} of {total:,} chunks ({share} %)"
        if seconds <= 0:
            return text
        text += f", {describe_size((last.nbytes - first.nbytes) / seconds)}/s from the bucket"
        if last.done == first.done:
            return f"{text}, waiting"
        chunks_per_s = (last.done - first.done) / seconds
        left = describe_seconds((total - last.done) / chunks_per_s)
        return f"{text}, {chunks_per_s:,.0f} chunks/s, {left} left"


class Showing(Protocol):
    """Shows progress."""

    @property
    def every_s(self) -> float:
        """How often it is to be called."""

    def show(self, what: str, speed: Speed, done: int, total: int, /) -> None:
        """Show that *done* of *total* chunks are done, now those of *what*."""

    def close(self) -> None:
        """Remove what would be in the way of further lines."""


class Lines:
    """Writes lines."""

    every_s = LINE_EVERY_S

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, what: str, speed: Speed, _done: int, total: int) -> None:
        """As `Showing`."""
        self._out.write(f"{what}: {speed.describe(total)}\n")
        self._out.flush()

    def close(self) -> None:
        """Do nothing: every line is written."""


class Bar:
    """Shows a bar on a terminal."""

    every_s = BAR_EVERY_S

    def __init__(self, out: TextIO) -> None:
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[state]}", markup=False),
            console=Console(file=out),
            transient=True,
            redirect_stdout=False,
        )
        self._task = self._bar.add_task("", state="")

    def show(self, what: str, speed: Speed, done: int, total: int) -> None:
        """As `Showing`."""
        self._bar.update(
            self._task, description=what, completed=done, total=total, state=speed.describe(total)
        )
        self._bar.start()

    def close(self) -> None:
        """Remove the bar."""
        self._bar.stop()


def showing_on(out: TextIO) -> Showing:
    """Return what shows progress on *out*."""
    return Bar(out) if out.isatty() else Lines(out)
