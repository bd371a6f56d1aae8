"""The command line: parse it, run the command, map errors to exit codes.

A command calls the rooms below and decides nothing itself. Only `entry` is imported before the command is known.
"""

from dvidpc.cli.entry import main

__all__ = ["main"]
