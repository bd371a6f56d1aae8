"""A log that cannot be written does not disturb the code that logs."""

import subprocess
import sys

import pytest

from dvidpc.log.line_formats import TextFormatter
from dvidpc.log.sinks import StderrSink
from tests.log.records import record


class Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_message_that_cannot_be_formatted_does_not_disturb_the_code_that_logs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sink = StderrSink()
    sink.setFormatter(TextFormatter())
    sink.handle(record("an argument: %s", Unspeakable()))
    sink.handle(record(Unspeakable()))
    assert capsys.readouterr().err == (
        "2026-11-22 12:57:44.123Z INFO  an argument: %s (its arguments cannot be formatted: RuntimeError)\n"
    )


def test_closed_stderr_does_not_disturb_the_code_that_logs() -> None:
    code = (
        "import logging, sys\n"
        "from dvidpc.log.settings import LogSettings\n"
        "from dvidpc.log.set_up import set_up_logging\n"
        "set_up_logging(LogSettings()); sys.stderr.close(); logging.getLogger('dvidpc').error('lost')\n"
        "sys.stderr = None; logging.getLogger('dvidpc').error('lost'); print('served')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "served\n"
