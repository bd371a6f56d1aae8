"""The command line: parse it, run the command, map errors to exit codes.

A command calls the rooms below and decides nothing itself. They are imported once the command is known.
"""

from dvidpc.cli.entry import main

__all__ = ["main"]
