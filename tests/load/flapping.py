"""F8: a bucket that fails half of the time, either at random or in alternating periods.

Three servers read it at once: one with default settings but no cache, one with an empty default cache, and
one without a cache but with generous retry settings.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

import aiohttp

from tests.faulty.bucket import FaultyBucket, faulty_bucket
from tests.faulty.faults import BROKEN, RESET, SLOW_DOWN, Chance
from tests.faulty.site import store_section
from tests.faulty.truth import Truth, blocks_path, write_truth
from tests.load.place import METRICS, SERVER, Place, centile, place, scratch
from tests.serving import UUID, config_text
from tests.volumes import VolumeSpec

SECONDS = 60 * float(os.environ.get("MINUTES", "1"))
CLIENTS = 8
PAUSE_S = 0.05
PERIODS_S = (0.2, 0.5, 2.0)
MODES = {
    "nothing kept": "[cache]\nmemory = 0\n",
    "cache empty at the start": "",
    "nothing kept, attempts = 8, retry_budget = 1": (
        "[cache]\nmemory = 0\n[limits]\nattempts = 8\nretry_budget = 1\n"
    ),
}


@dataclass
class Findings:
    """The answers that the clients of one server got."""

    answers: dict[int, int] = field(default_factory=dict)
    wrong: int = 0
    seconds: list[float] = field(default_factory=list)

    def say(self, reads: float) -> dict[str, object]:
        """Return the figures; *reads* is the number of requests to the bucket for each client request."""
        asked = sum(self.answers.values())
        return {
            "answered": f"{self.answers.get(200, 0) / asked:.2%} of {asked}",
            "wrong blocks": self.wrong,
            "others": {status: count for status, count in self.answers.items() if status != 200},
            "seconds, median and p99": [round(centile(self.seconds, share), 2) for share in (0.5, 0.99)],
            "requests to the bucket for each of ours": round(reads, 2),
        }


async def measure() -> dict[str, object]:
    """Run the row and return its figures."""
    with scratch() as directory:
        truth = write_truth(directory / "bucket" / "em", VolumeSpec(size=(512, 512, 512)))
        figures: dict[str, object] = {}
        async with faulty_bucket(directory / "bucket") as bucket, contextlib.AsyncExitStack() as stack:
            for period_s in (None, *PERIODS_S):
                servers = []
                for number, more in enumerate(MODES.values()):
                    own = directory / f"{period_s}-{number}"
                    own.mkdir()
                    text = config_text({}, store_section("http", bucket) + SERVER + METRICS + more)
                    servers.append(await stack.enter_async_context(place(text, own)))
                async with _failing(bucket, period_s):
                    found = await asyncio.gather(*(_load(server, truth) for server in servers))
                name = "every other request" if period_s is None else f"up and down in {period_s:g} s"
                figures[name] = dict(zip(MODES, found, strict=True))
                await stack.aclose()
    return figures


@asynccontextmanager
async def _failing(bucket: FaultyBucket, period_s: float | None) -> AsyncIterator[None]:
    """Make half of the answers fail: at random, or all of them during half of each period."""

    async def go_up_and_down(period_s: float) -> None:
        while True:
            bucket.rule("em/s0/*", SLOW_DOWN)
            await asyncio.sleep(period_s / 2)
            bucket.heal_rules()
            await asyncio.sleep(period_s / 2)

    if period_s is None:
        bucket.chance = Chance(0.5, (SLOW_DOWN, BROKEN, RESET))
        yield
    else:
        turns = asyncio.create_task(go_up_and_down(period_s))
        yield
        turns.cancel()
    bucket.heal()


async def _load(server: Place, truth: Truth) -> dict[str, object]:
    findings = Findings()
    loop = asyncio.get_running_loop()
    end = loop.time() + SECONDS

    async def client(number: int) -> None:
        random = Random(number)
        async with aiohttp.ClientSession() as session:
            while loop.time() < end:
                block = random.choice(truth.blocks)
                began = loop.time()
                url = server.url + blocks_path(f"/api/node/{UUID}", "em", [block])
                async with session.get(url) as answer:
                    body = await answer.read()
                findings.seconds.append(loop.time() - began)
                findings.answers[answer.status] = findings.answers.get(answer.status, 0) + 1
                findings.wrong += answer.status == 200 and bool(truth.wrong_in([block], body))
                await asyncio.sleep(PAUSE_S)

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    metrics = await server.metrics()
    asked = sum(findings.answers.values())
    return findings.say(metrics["dvidpc_upstream_requests_total{store=em}"] / asked)
