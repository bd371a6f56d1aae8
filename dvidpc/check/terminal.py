"""Show reports and progress: as tables and a bar on a terminal, as plain lines elsewhere."""

from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from dvidpc.check.report import VolumeReport

_STYLES = {"ok": "green", "warning": "yellow", "problem": "bold red"}


def table_of(report: VolumeReport) -> Table:
    """Return a table with a row for each finding and its fix."""
    table = Table(title=Text(report.name), title_justify="left", title_style="bold", expand=True)
    table.add_column("", no_wrap=True)
    table.add_column("finding and fix", overflow="fold")
    for line in report.lines:
        table.add_row(Text("ok", _STYLES["ok"]), Text(line))
    for mark, findings in (("warning", report.warnings), ("problem", report.problems)):
        for text, fix in findings:
            finding = Text.assemble(text, ("\nfix: ", "bold"), (fix, "cyan"))
            table.add_row(Text(mark, _STYLES[mark]), finding)
    return table


def show(report: VolumeReport, out: TextIO) -> None:
    """Write a report as a table if *out* is a terminal, else as plain lines."""
    if out.isatty():
        Console(file=out).print(table_of(report))
    else:
        out.write(report.text())
    out.flush()


class Watch:
    """A progress bar that is shown on a terminal only, and removed in the end."""

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
        """Show that *done* of *total* is done in the step *what*."""
        self._bar.update(self._task, description=what, completed=done, total=total)
        self._bar.start()

    def clear(self) -> None:
        """Remove the bar before a report is written."""
        self._bar.stop()
