"""Run a check and write its reports: tables or lines for a person, JSON for a program."""

import os
import sys

from dvidpc.check.checking import check
from dvidpc.check.terminal import Watch, show
from dvidpc.config import Config


async def print_reports(config: Config, *, deep: bool, as_json: bool) -> int:
    """Check every volume and write a report on each; return the number of volumes with problems.

    Args:
        config: The volumes to check.
        deep: Whether to count the stored chunks of every scale.
        as_json: Whether to write one line of JSON per volume instead of text.
    """
    print_warnings(config, as_json=as_json)
    total = failed = 0
    watch = Watch(sys.stderr)
    try:
        async for report in check(config, os.environ, deep=deep, progress=watch):
            watch.clear()
            if as_json:
                sys.stdout.write(report.json_line())
                sys.stdout.flush()
            else:
                show(report, sys.stdout)
            total += 1
            failed += bool(report.problems)
    finally:
        watch.clear()
    if failed:
        sys.stderr.write(f"dvidpc: {failed} of {total} volumes have problems\n")
    return failed


def print_warnings(config: Config, *, as_json: bool) -> None:
    """Write the warnings about the configuration itself; not to stdout if that is for JSON."""
    out = sys.stderr if as_json else sys.stdout
    out.writelines(f"warning: {warning}\n" for warning in config.warnings)
