"""L8 and O1: open-loop traffic at four times the peak rate, sent on schedule regardless of the answers.

Each request cuts an image out of cached chunks: expensive for the server and cheap for the client.
"""

import asyncio
import itertools
import random
import time
from dataclasses import dataclass, field

import aiohttp

from tests.load.place import NODE, SERVER, Place, Probe, centile, place, scratch
from tests.serving import config_text
from tests.volumes import VolumeSpec, write_volume

SECONDS = 60
TIMES = 4
CLIENTS = 32
"""Clients in the closed loop that finds the peak rate."""
SLICE_S = 5
PLANES = [f"{NODE}/raw/0_1/700_700/{x}_{x}_{z}/png" for x in range(0, 300, 15) for z in range(64)]
"""All different, so that no two requests share a load."""


@dataclass
class Outcome:
    """Outcomes of requests: time of the answer since the start, and latency, in seconds."""

    good: list[tuple[float, float]] = field(default_factory=list)
    refused: list[tuple[float, float]] = field(default_factory=list)
    without_retry_after: int = 0
    other: list[str] = field(default_factory=list)


async def measure() -> dict[str, object]:
    """Run the row and return its figures."""
    with scratch() as directory:
        write_volume(directory / "em", VolumeSpec(size=(1024, 1024, 64), encoding="jpeg"))
        connector = aiohttp.TCPConnector(limit=0)
        async with (
            place(config_text({"em": directory / "em"}, SERVER), directory) as server,
            aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(60)) as session,
        ):
            await _closed(session, server.url, 2)
            peak = await _closed(session, server.url, SLICE_S)
            outcome, probe = await _open(session, server, TIMES * peak)
            recovered = await _closed(session, server.url, SLICE_S)
            tracebacks = server.log.read_text().count("Traceback")
    during = sum(when <= SECONDS for when, _ in outcome.good)
    at_once = [1e3 * took for _, took in outcome.refused]
    return {
        "peak in closed loops": f"{peak:.0f}/s with {CLIENTS} clients",
        "sent": f"{TIMES * peak:.0f}/s for {SECONDS} s",
        "good while sent": f"{during / SECONDS:.0f}/s, {during / SECONDS / peak:.0%} of the peak",
        "seconds a good one took, median and p99": [
            round(centile([took for _, took in outcome.good], share), 2) for share in (0.5, 0.99)
        ],
        "503": len(outcome.refused),
        "503 without Retry-After": outcome.without_retry_after,
        "ms a 503 took, median, p99, most": [round(centile(at_once, s)) for s in (0.5, 0.99, 1.0)],
        "other answers": outcome.other[:5] or 0,
        "/healthz ms, median, p99, most": [round(centile(probe.took, s), 1) for s in (0.5, 0.99, 1.0)],
        "/healthz failed": f"{probe.failed} of {len(probe.took)}",
        "right after the last": f"{recovered:.0f}/s in {SLICE_S} s, {recovered / peak:.0%} of the peak",
        "tracebacks in the log": tracebacks,
    }


async def _closed(session: aiohttp.ClientSession, url: str, seconds: float) -> float:
    """Return the requests per second when each client waits for its answer."""
    end = time.perf_counter() + seconds
    planes = itertools.cycle(random.sample(PLANES, len(PLANES)))

    async def client() -> int:
        done = 0
        while time.perf_counter() < end:
            async with session.get(url + next(planes)) as answer:
                await answer.read()
                assert answer.status == 200, answer.status
            done += time.perf_counter() < end
        return done

    return sum(await asyncio.gather(*(client() for _ in range(CLIENTS)))) / seconds


async def _open(session: aiohttp.ClientSession, server: Place, rate: float) -> tuple[Outcome, Probe]:
    """Send *rate* requests a second for SECONDS, and return once all are answered."""
    outcome, probe = Outcome(), Probe(server.url)
    planes = itertools.cycle(random.sample(PLANES, len(PLANES)))
    began = time.perf_counter()

    async def ask() -> None:
        sent = time.perf_counter()
        try:
            async with session.get(server.url + next(planes)) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            outcome.other.append(repr(error))
            return
        now = time.perf_counter()
        if answer.status == 200:
            outcome.good.append((now - began, now - sent))
        elif answer.status == 503:
            outcome.refused.append((now - began, now - sent))
            outcome.without_retry_after += "Retry-After" not in answer.headers
        else:
            outcome.other.append(f"{answer.status} {body[:80]!r}")

    async with aiohttp.ClientSession() as other, asyncio.TaskGroup() as group:
        for number in range(int(rate * SECONDS)):
            await asyncio.sleep(max(0, began + number / rate - time.perf_counter()))
            group.create_task(ask())
            if number % max(1, int(rate / 10)) == 0:
                group.create_task(probe.once(other))
    return outcome, probe
