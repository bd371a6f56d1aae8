"""F17: 5,000 clients that disconnect before their answer arrives; no bucket read outlives its clients.

In some rounds one client of a hundred stays and gets its answer from the read that all of them shared. In
others nobody stays, or all leave in the middle of a large answer.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from tests.faulty.bucket import FaultyBucket, faulty_bucket
from tests.faulty.faults import HANG, Fault
from tests.faulty.site import store_section
from tests.faulty.truth import Truth, blocks_path, write_truth
from tests.load.place import METRICS, SERVER, Place, place, scratch
from tests.serving import UUID, config_text
from tests.volumes import VolumeSpec

ROUNDS = 50
WARM_UP = 10
CLIENTS = 100
LEFT_S = 0.2
"""Time within which all departing clients have disconnected."""
DELAY_S = 0.6
"""Latency of the bucket in rounds where one client stays."""
LONGEST_S = 15.0
VOLUMES = {"em": "http", "seg": "s3"}
CACHE = "[cache]\nmemory = 0\n"
"""No cache, so that every round reads the bucket."""


@dataclass
class Findings:
    """The measurements."""

    left: int = 0
    stayed: Counter[str] = field(default_factory=Counter)
    """Number of requests by outcome."""
    reads: Counter[int] = field(default_factory=Counter)
    """How often an object was read in one round for all clients together."""
    seconds: list[float] = field(default_factory=list)
    """Seconds from the last disconnect until no bucket read was in flight."""
    under_way: int = 0
    """Most in-flight reads in a round where no client stayed."""
    resident: list[float] = field(default_factory=list)
    """Resident memory in MiB after each tenth of the rounds."""


async def measure() -> dict[str, object]:
    """Run the row and return its figures."""
    with scratch() as directory:
        truth = write_truth(directory / "bucket" / "em", VolumeSpec(size=(256, 256, 256)))
        write_truth(directory / "bucket" / "seg", truth.spec)
        async with faulty_bucket(directory / "bucket") as bucket:
            stores = "".join(store_section(kind, bucket, name) for name, kind in VOLUMES.items())
            async with place(config_text({}, stores + SERVER + CACHE + METRICS), directory) as server:
                findings = Findings()
                await _play(server, bucket, truth, findings, WARM_UP)
                files = server.process.num_fds()
                findings = Findings()
                await _play(server, bucket, truth, findings, ROUNDS)
                await asyncio.sleep(1)
                metrics = await server.metrics()
                figures: dict[str, object] = {
                    "left": findings.left,
                    "stayed, by outcome": findings.stayed,
                    "reads of an object for all clients together": findings.reads,
                    "in-flight reads in a round where no client stayed, maximum": findings.under_way,
                    "seconds from the last disconnect until no read was in flight, median and maximum": [
                        round(sorted(findings.seconds)[len(findings.seconds) // 2], 3),
                        round(max(findings.seconds), 3),
                    ],
                    "in flight at the end": {
                        name: value
                        for name, value in metrics.items()
                        if "in_flight" in name or "waiting" in name
                    },
                    "MiB resident, after each tenth": [round(mib, 1) for mib in findings.resident],
                    "open files, before and after": [files, server.process.num_fds()],
                    "tracebacks in the log": server.tracebacks,
                }
    return figures


async def _play(server: Place, bucket: FaultyBucket, truth: Truth, findings: Findings, rounds: int) -> None:
    for number in range(rounds):
        name = list(VOLUMES)[number % 2]
        blocks = random.sample(truth.blocks, 4)
        path = blocks_path(f"/api/node/{UUID}", name, blocks)
        bucket.heal()
        bucket.asked.clear()
        kind = number // 2 % 5
        if kind in (0, 1):
            bucket.rule(f"{name}/s0/*", Fault(delay_s=DELAY_S))
            stays = asyncio.create_task(_stay(server, path, truth, blocks))
            await asyncio.gather(*(_leave(server, path, 0) for _ in range(CLIENTS)))
            findings.stayed[await stays] += 1
            findings.reads.update(Counter(Counter(one.key for one in bucket.asked).values()))
        elif kind in (2, 3):
            bucket.rule(f"{name}/s0/*", HANG)
            some = [blocks_path(f"/api/node/{UUID}", name, random.sample(truth.blocks, 4)) for _ in range(10)]
            leaving = asyncio.gather(*(_leave(server, random.choice(some), 0) for _ in range(CLIENTS)))
            await asyncio.sleep(LEFT_S / 2)
            findings.under_way = max(findings.under_way, bucket.awaited)
            await leaving
            findings.seconds.append(await _until_unread(bucket))
        else:
            path = blocks_path(f"/api/node/{UUID}", name, truth.blocks)
            await asyncio.gather(*(_leave(server, path, random.randrange(2**20)) for _ in range(CLIENTS)))
        findings.left += CLIENTS
        if number % (rounds // 10) == 0:
            findings.resident.append(server.resident)


async def _leave(server: Place, path: str, nbytes: int) -> None:
    """Send a request and disconnect after so many bytes of the answer, or after LEFT_S."""
    async with _asking(server, path) as reader:
        try:
            async with asyncio.timeout(random.uniform(0, LEFT_S) if not nbytes else 10 * LEFT_S):
                await reader.readexactly(nbytes or 1)
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            pass


@asynccontextmanager
async def _asking(server: Place, path: str) -> AsyncIterator[asyncio.StreamReader]:
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        yield reader
    finally:
        writer.transport.abort()


async def _stay(server: Place, path: str, truth: Truth, blocks: list[tuple[int, int, int]]) -> str:
    async with aiohttp.ClientSession() as session, session.get(server.url + path) as answer:
        body = await answer.read()
    if answer.status != 200:
        return f"{answer.status} {body[:80]!r}"
    return "wrong" if truth.wrong_in(blocks, body) else "right"


async def _until_unread(bucket: FaultyBucket) -> float:
    """Return the seconds until no bucket request is in flight; at most LONGEST_S."""
    left = time.perf_counter()
    while bucket.awaited and time.perf_counter() < left + LONGEST_S:  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.005)
    return time.perf_counter() - left
