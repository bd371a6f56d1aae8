"""Shows reports as tables and progress as a bar, to a person at a terminal."""

from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from dvidpc.check.report import VolumeReport

_STYLES = {"ok": "green", "warning": "yellow", "problem": "bold red"}


def table_of(report: VolumeReport) -> Table:
    """A row for each thing that was found; what mends it stands below it."""
    table = Table(title=Text(report.name), title_justify="left", title_style="bold", expand=True)
    table.add_column("", no_wrap=True)
    table.add_column("what was found, and what mends it", overflow="fold")
    for line in report.lines:
        table.add_row(Text("ok", _STYLES["ok"]), Text(line))
    for mark, findings in (("warning", report.warnings), ("problem", report.problems)):
        for text, mend in findings:
            said = Text.assemble(text, ("\nmend: ", "bold"), (mend, "cyan"))
            table.add_row(Text(mark, _STYLES[mark]), said)
    return table


def show(report: VolumeReport, out: TextIO) -> None:
    """Write a report: a table to a terminal, plain lines to anything else."""
    if out.isatty():
        Console(file=out).print(table_of(report))
    else:
        out.write(report.text())
    out.flush()


class Watch:
    """Shows what is being done, on a terminal only; nothing of it stays."""

    def __init__(self, stderr: TextIO) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self._bar = Progress(
            *columns,
            console=Console(file=stderr),
            transient=True,
            redirect_stdout=False,
            disable=not stderr.isatty(),
        )
        self._task = self._bar.add_task("")

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that *done* of *total* is done."""
        self._bar.update(self._task, description=what, completed=done, total=total)
        self._bar.start()

    def clear(self) -> None:
        """Take it away, to make place for what stays."""
        self._bar.stop()
