"""Measure the rows of docs/reliability.md that concern load, time and memory, which tests cannot.

`python -m tests.load.run`, or `make load`; with names (`idle overload`), only these. All is on loopback and
bounded in time and number; the whole takes about eight minutes, without those that take minutes alone. It
prints figures and judges none of them.
"""

import argparse
import asyncio
import json
import sys

from tests.load import (
    files,
    flapping,
    idle,
    leave,
    memory,
    mutations,
    overload,
    rates,
    sandbox,
    shards,
    slow,
    stalled,
    start,
    working_set,
)

ROWS = {
    "idle": idle.measure,
    "overload": overload.measure,
    "shards": shards.measure,
    "start": start.measure,
    "files": files.measure,
    "leave": leave.measure,
    "slow": slow.measure,
    "memory": memory.measure,
    "cold": rates.cold,
    "edges": rates.edges,
    "sandbox": sandbox.measure,
}
LONG = {
    "hot": rates.hot,
    "stalled": stalled.measure,
    "mutations": mutations.measure,
    "flapping": flapping.measure,
    "working_set": working_set.measure,
}
"""Rows that run only when named."""


def main() -> None:
    """Run it from the command line."""
    known = ROWS | LONG
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "rows", nargs="*", metavar="ROW", help=f"of {', '.join(known)}; default: all but {', '.join(LONG)}"
    )
    for row in parser.parse_args().rows or list(ROWS):
        figures = json.dumps(asyncio.run(known[row]()), indent=2)
        sys.stdout.write(f"{row} {figures}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
