"""The entry point: parse the command line and run the command."""

import argparse
import io
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from dvidpc.cli.command_parser import command_parser
from dvidpc.cli.exit_codes import exit_code
from dvidpc.cli.handlers import COMMANDS
from dvidpc.errors import ConfigError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 1 for a failure, 2 for a wrong configuration."""
    _write_what_stdout_can()
    options = command_parser().parse_args(arguments)
    return exit_code(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    _check_key_log(os.environ)
    return COMMANDS[options.command](options)


def _write_what_stdout_can() -> None:
    """Write a character that stdout's encoding lacks as an escape, as Python does on stderr.

    Names of volumes and objects may hold any character, and with `PYTHONIOENCODING=ascii`, or with bytes in a
    path that are not UTF-8, a report would end in a traceback.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _check_key_log(environ: Mapping[str, str]) -> None:
    """Check that the file of `SSLKEYLOGFILE` can be written: Python opens it for each TLS context.

    aiohttp makes one when it is imported, which would end in a traceback.

    Raises:
        ConfigError: It cannot be written.
    """
    if name := environ.get("SSLKEYLOGFILE"):
        try:
            with Path(name).open("a"):
                pass
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no file can have this name"
            raise ConfigError(
                f"SSLKEYLOGFILE names a file that cannot be written: {name!r}: {reason}; unset it"
            ) from error
