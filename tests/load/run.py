"""Measures what a test may not: rows of docs/reliability.md that are about load, time and memory.

`python -m tests.load.run`, or `make load`; with names (`idle overload`), only these. All is on loopback and
bounded in time and number; the whole takes about two minutes. It prints figures and judges none of them.
"""

import argparse
import asyncio
import json
import sys

from tests.load import files, idle, leave, memory, mutations, overload, shards, slow, start

ROWS = {
    "idle": idle.measure,
    "overload": overload.measure,
    "shards": shards.measure,
    "start": start.measure,
    "files": files.measure,
    "leave": leave.measure,
    "slow": slow.measure,
    "memory": memory.measure,
    "mutations": mutations.measure,
}


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; default: all")
    for row in parser.parse_args().rows or list(ROWS):
        figures = json.dumps(asyncio.run(ROWS[row]()), indent=2)
        sys.stdout.write(f"{row} {figures}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
