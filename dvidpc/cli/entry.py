"""The entry point: parse the command line and run the command."""

import io
import sys
from collections.abc import Sequence

from dvidpc.cli.command_parser import command_parser
from dvidpc.cli.exit_codes import exit_code
from dvidpc.cli.handlers import COMMANDS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 1 for a failure, 2 for a wrong configuration."""
    _write_what_stdout_can()
    options = command_parser().parse_args(arguments)
    return exit_code(lambda: COMMANDS[options.command](options))


def _write_what_stdout_can() -> None:
    """Write a character that stdout's encoding lacks as an escape, as Python does on stderr.

    Names of volumes and objects may hold any character, and with `PYTHONIOENCODING=ascii`, or with bytes in a
    path that are not UTF-8, a report would end in a traceback.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
