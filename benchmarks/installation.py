"""How large an installation must be, reckoned from `results.json`: `python -m benchmarks.installation`.

Prints the table of docs/operations.md, section "How large an installation"; `--write` puts it there. Prices
and machines are the constants below.
"""

import argparse
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.trace import HOURS_A_WEEK, TEAM, TEAM_DISK_BYTES, requests_per_s

PAGE: Final = Path(__file__).parents[1] / "docs" / "operations.md"
BEGIN: Final = "<!-- installation: python -m benchmarks.installation --write -->"
END: Final = "<!-- end -->"

PEOPLE: Final = (10, 100, 1000)
PEAK: Final = 3
"""How much more than on average is asked for while most people load at once."""
MOST_BUSY: Final = 0.7
"""The share of a resource that is planned to be used at peak."""
FEWEST_SERVERS: Final = 2
"""One may fail."""
WEEKS_A_MONTH: Final = 52 / 12

# A server: as EC2's i4i.xlarge, on demand, US East (N. Virginia). The network is what it has all the time.
SERVER_CORES: Final = 4
SERVER_MEMORY_GIB: Final = 16
"""`[cache] memory` of all workers together: half of what the machine has."""
SERVER_DISK_BYTES: Final = 900 * 10**9
SERVER_NETWORK_BITS: Final = 1.875e9
SERVER_DISK_BYTES_PER_S: Final = 250e6
"""Random reads of 40 kB, half of what the disk is good for: writing takes the rest."""
SERVER_DOLLARS: Final = 250.0

# S3 Standard, US East (N. Virginia): list prices as far as known on 2026-11-26, https://aws.amazon.com/s3/pricing/.
GET_DOLLARS: Final = 0.4e-6
EGRESS_DOLLARS: Final = ((10e12, 0.09e-9), (40e12, 0.085e-9), (100e12, 0.07e-9), (math.inf, 0.05e-9))
"""Dollars a byte to the internet: for the first bytes of a month, the next, and so on."""
BUCKET_GETS_PER_S: Final = 5500
"""What S3 promises for one prefix before it has divided it."""


@dataclass(frozen=True)
class Installation:
    """An installation for a number of proofreaders; rates are at peak, sums are of a month."""

    people: int
    servers: int
    use: Mapping[str, float]
    """How much of each resource is used at peak, 1 being all of it."""
    memory: float
    disk: float
    bits_per_s: float
    gets: float
    gets_without_disk: float
    bucket_bytes: float
    sent_bytes: float

    @property
    def bucket(self) -> float:
        """The share of blocks that come from the bucket."""
        return 1 - self.memory - self.disk

    @property
    def first(self) -> str:
        """What saturates first."""
        return max(self.use, key=lambda name: self.use[name])

    def dollars(self, *, bytes_out: float) -> float:
        """Return what a month costs if so many bytes leave the region of the bucket."""
        return self.servers * SERVER_DOLLARS + self.gets * GET_DOLLARS + egress(bytes_out)


def egress(nbytes: float) -> float:
    """Return the dollars for sending so many bytes to the internet in a month."""
    total = 0.0
    for step, price in EGRESS_DOLLARS:
        total += min(nbytes, step) * price
        nbytes -= min(nbytes, step)
    return total


def plan(figures: Mapping[str, Any], people: int) -> Installation:
    """Return the smallest installation whose resources suffice at peak."""
    servers = FEWEST_SERVERS
    while True:
        planned = _with(figures, people, servers)
        per_server = {name: used for name, used in planned.use.items() if name != "bucket"}
        if max(per_server.values()) <= MOST_BUSY:
            return planned
        servers += 1


def _with(figures: Mapping[str, Any], people: int, servers: int) -> Installation:
    memory, disk = shares(figures, servers * SERVER_MEMORY_GIB * TEAM / people)
    bucket = 1 - memory - disk
    average = people * requests_per_s()
    peak, month = average * PEAK, average * HOURS_A_WEEK * 3600 * WEEKS_A_MONTH
    cpu_us = memory * figures["memory_us"] + disk * figures["disk_us"] + bucket * figures["bucket_us"]
    nbytes, gets = figures["block_bytes"], figures["gets_per_block"]
    use = {
        "CPU": peak * cpu_us / 1e6 / (servers * SERVER_CORES),
        "network": peak * nbytes * 8 / (servers * SERVER_NETWORK_BITS),
        "disk": peak * disk * nbytes / (servers * SERVER_DISK_BYTES_PER_S),
        "room on disk": people / TEAM * TEAM_DISK_BYTES / (servers * SERVER_DISK_BYTES),
        "bucket": peak * bucket * gets / BUCKET_GETS_PER_S,
    }
    return Installation(
        people=people,
        servers=servers,
        use=use,
        memory=memory,
        disk=disk,
        bits_per_s=peak * nbytes * 8,
        gets=month * bucket * gets,
        gets_without_disk=month * (1 - memory) * gets,
        bucket_bytes=month * bucket * nbytes,
        sent_bytes=month * nbytes,
    )


def shares(figures: Mapping[str, Any], team_memory_gib: float) -> tuple[float, float]:
    """Return the shares of memory and disk for the next smaller cache that was simulated, or the smallest."""
    known = sorted(figures["shares"])
    _, memory, disk = max((one for one in known if one[0] <= team_memory_gib), default=known[0])
    return memory, disk


def table(document: Mapping[str, Any]) -> str:
    """Return the table, and what was measured for it, in Markdown."""
    figures = document["figures"]
    columns = [_column(plan(figures, people)) for people in PEOPLE]
    head = ["proofreaders", *(f"{people:,}" for people in PEOPLE)]
    lines = [head, ["---"] * len(head), *([name, *(one[name] for one in columns)] for name in columns[0])]
    measured = (
        f"Measured on {document['date']}: a block has {figures['block_bytes'] / 1000:.0f} kB. It takes "
        f"{figures['memory_us']} us of a core from memory, {figures['disk_us']} us from the disk cache, and "
        f"{figures['bucket_us']} us and {figures['gets_per_block']:g} requests from a bucket by https."
    )
    return f"{measured}\n\n" + "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _column(one: Installation) -> dict[str, str]:
    without = one.gets_without_disk * GET_DOLLARS + egress(
        one.bucket_bytes * one.gets_without_disk / one.gets
    )
    return {
        "blocks a second, at peak": f"{one.people * requests_per_s() * PEAK:,.0f}",
        "servers": f"{one.servers}",
        "cores busy at peak": f"{one.use['CPU'] * one.servers * SERVER_CORES:.2f}",
        "network at peak": f"{one.bits_per_s / 1e9:.2f} Gbit/s",
        "disk cache of each server": f"{one.people / TEAM * TEAM_DISK_BYTES / one.servers / 1e9:.0f} GB",
        "from memory, disk, bucket": f"{one.memory:.0%}, {one.disk:.0%}, {one.bucket:.0%}",
        "requests to the bucket a month": f"{one.gets / 1e6:,.1f} million",
        "bytes from the bucket a month": f"{one.bucket_bytes / 1e12:,.2f} TB",
        "saturates first": f"{one.first} ({one.use[one.first]:.0%} at peak)",
        "a month, servers in the laboratory": f"${one.dollars(bytes_out=one.bucket_bytes):,.0f}",
        "the same without a disk cache": f"${one.servers * SERVER_DOLLARS + without:,.0f}",
        "a month, servers beside the bucket, proofreaders elsewhere": (
            f"${one.dollars(bytes_out=one.sent_bytes):,.0f}"
        ),
    }


def written_page(page: str, document: Mapping[str, Any]) -> str:
    """Return the text of the page with the table between its marks."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{table(document)}\n{END}{after}"


def results() -> dict[str, Any]:
    """Return what `make bench` wrote."""
    document: dict[str, Any] = json.loads(Path(__file__).with_name("results.json").read_text())
    return document


def main() -> None:
    """Print the table, or write it into the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.installation", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write it into docs/operations.md")
    if parser.parse_args().write:
        PAGE.write_text(written_page(PAGE.read_text(), results()))
    else:
        sys.stdout.write(table(results()) + "\n")


if __name__ == "__main__":
    main()
