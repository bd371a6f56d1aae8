"""Kill servers at random, with `kill -9`, while clients read through their disk cache; compare every block.

`python -m tests.faulty.crashes --rounds 100`. All servers use one disk, one after the other, and the volumes
do not fit on it. Shards are replaced meanwhile. The last server is asked for every block, then every entry on
the disk is checked. The exit code is 1 if anything was wrong.
"""

import argparse
import asyncio
import json
import math
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import aiohttp
import psutil

from dvidpc.cache.disk.upkeep import verify
from tests.faulty.bucket import FaultyBucket, faulty_bucket
from tests.faulty.soak import (
    NODE,
    SIZE,
    Expectations,
    Findings,
    address,
    client,
    command,
    replace_shards,
    run_for,
    server_text,
    tracebacks,
    write_volumes,
)
from tests.faulty.troubled_disk import (
    DiskFindings,
    TroubledDisk,
    lines_about_disk,
    troubled_disk,
    watch_size,
)
from tests.faulty.truth import blocks_path
from tests.servers import free_port
from tests.volumes import XYZ

CLIENTS = 6
LONGEST_S = 3.0
"""The longest time that a server is allowed to live once it listens."""
EARLY = 0.2
"""The share of the servers that are killed while they start."""


@dataclass
class Crashes:
    """What was found."""

    found: Findings = field(default_factory=Findings)
    disk: DiskFindings = field(default_factory=DiskFindings)
    kills: Counter[str] = field(default_factory=Counter)
    """Of servers, by what they were doing."""
    lines: Counter[str] = field(default_factory=Counter)
    """What the logs say about the disk cache."""
    tracebacks: list[str] = field(default_factory=list)
    from_disk: int = 0
    """Reads that the disk answered, as the logs have it."""
    checked: int = 0
    """Entries on the disk in the end."""
    damaged: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        """Return what must not be."""
        found = [f"WRONG: {wrong}" for wrong in self.found.wrong]
        found += [f"TRACEBACK: {traceback}" for traceback in self.tracebacks]
        found += [f"DAMAGED: {damaged}" for damaged in self.damaged]
        found += [f"LOGGED: {line}" for line in self.lines if "does not answer" not in line]
        if not self.disk.is_bounded:
            found.append(f"THE DISK CACHE TOOK {self.disk.most_bytes} BYTES")
        if not self.checked or not self.from_disk:
            found.append("THE DISK CACHE ANSWERED NOTHING")
        return found

    def figures(self) -> dict[str, object]:
        """Return what to print."""
        return {
            "kills": dict(self.kills),
            "blocks compared": self.found.blocks,
            "blocks wrong": len(self.found.wrong),
            "shards replaced": self.found.replaced,
            "answers": dict(self.found.answers.most_common()),
            "reads answered from the disk": self.from_disk,
            "entries checked in the end": self.checked,
            "entries damaged": len(self.damaged),
            "tracebacks": len(self.tracebacks),
            "disk bytes, most, of the budget": self.disk.share,
            "disk samples": self.disk.samples,
            "lines about the disk": dict(self.lines),
        }


@dataclass(frozen=True)
class Victims:
    """Servers that are started and killed on one disk."""

    config: Path
    volumes: dict[str, Expectations]
    crashes: Crashes
    random: Random = field(default_factory=lambda: Random(1))

    async def crash(self) -> None:
        """Start a server, ask it, and kill it at some time."""
        with command(self.config) as (process, log):
            if self.random.random() < EARLY:
                await kill_later(process.pid, self.random.uniform(0, 1))
                what = "starting"
            else:
                url = await address(log)
                numbers = [self.random.randrange(2**32) for _ in range(CLIENTS)]
                work = [client(number, url, self.volumes, self.crashes.found) for number in numbers]
                work.append(kill_later(process.pid, self.random.uniform(0, LONGEST_S)))
                await run_for(work, 60)
                what = "under load"
            self.crashes.kills[what] += 1
        self._note(log.read_text())

    async def survive(self) -> None:
        """Start a server, ask it for every block, twice, and let it end."""
        with command(self.config) as (_, log):
            url = await address(log)
            async with aiohttp.ClientSession() as session:
                for _ in range(2):
                    for name, expected in self.volumes.items():
                        for at in range(0, len(expected.blocks), 16):
                            asked = expected.blocks[at : at + 16]
                            async with session.get(url + blocks_path(NODE, name, asked)) as answer:
                                body = await answer.read()
                                self.crashes.found.answers[f"{answer.status} in the end"] += 1
                            wrong = expected.wrong_in(asked, body) if answer.status == 200 else [str(body)]
                            self.crashes.found.wrong += [f"{name} {one}" for one in wrong]
                            self.crashes.found.blocks += len(asked)
        self._note(log.read_text())

    def _note(self, log: str) -> None:
        self.crashes.lines += lines_about_disk(log)
        self.crashes.from_disk += sum(map(int, re.findall(r" disk=(\d+)", log)))
        self.crashes.tracebacks += tracebacks(log)


async def kill_later(pid: int, seconds: float) -> None:
    """Kill a server and its workers after some time."""
    await asyncio.sleep(seconds)
    server = psutil.Process(pid)
    server.send_signal(signal.SIGSTOP)  # it starts no more workers
    workers = server.children(recursive=True)
    server.kill()
    for worker in workers:
        with suppress(psutil.NoSuchProcess):
            worker.kill()
    psutil.wait_procs(workers, timeout=10)


async def crash_often(
    directory: Path,
    disk: TroubledDisk,
    rounds: int,
    *,
    workers: int = 1,
    most_s: float = math.inf,
    size: XYZ = SIZE,
) -> Crashes:
    """Kill servers.

    Args:
        directory: Where everything is written.
        disk: Where their disk cache is.
        rounds: How many servers are killed.
        workers: How many each has.
        most_s: Seconds after which no other server is killed.
        size: That of the volumes.
    """
    crashes = Crashes()
    config = directory / "config.toml"
    victims = Victims(config, write_volumes(directory, size), crashes)
    deadline = time.monotonic() + most_s
    async with faulty_bucket(directory / "bucket") as bucket:
        config.write_text(text_of(bucket, disk, workers))
        watching = asyncio.create_task(watch_size(disk, crashes.disk))
        replacing = asyncio.create_task(replace_shards(bucket, directory, crashes.found))
        for _ in range(rounds):
            if time.monotonic() < deadline:
                await victims.crash()
        replacing.cancel()
        await victims.survive()
        watching.cancel()
        await asyncio.gather(watching, replacing, return_exceptions=True)
    result = await asyncio.to_thread(verify, disk.root, lambda _done, _all: None)
    crashes.checked, crashes.damaged = result.checked, result.damaged
    return crashes


def text_of(bucket: FaultyBucket, disk: TroubledDisk, workers: int) -> str:
    """Return the configuration of servers with a number of workers."""
    text = server_text(bucket, disk).replace("[server]\n", f"[server]\nworkers = {workers}\n")
    return text.replace('address = "127.0.0.1:0"', f'address = "127.0.0.1:{free_port()}"')


def main() -> int:
    """Kill servers, from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, troubled_disk(Path(name)) as disk:
        crashes = asyncio.run(crash_often(Path(name), disk, options.rounds, workers=options.workers))
    sys.stdout.write(json.dumps(crashes.figures(), indent=2) + "\n")
    for problem in crashes.problems()[:20]:
        sys.stdout.write(f"{problem}\n")
    return bool(crashes.problems())


if __name__ == "__main__":
    sys.exit(main())
