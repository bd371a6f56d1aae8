"""Several servers behind deploy/haproxy.cfg behave as one, also while one of them dies and one is added.

`pytest tests/deploy/test_several_machines.py --log-cli-level=INFO` shows the figures.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from tests.balancer import RECIPE, Balancer, balancing
from tests.deploy.fleet import Fleet, fleet
from tests.deploy.visits import BLOCKS, Ask, fetch, listed, walk
from tests.deploy.wide_bucket import WideBucket, wide_bucket
from tests.programs import need

log = logging.getLogger(__name__)

CLIENTS = 8
WALKS = 140
N = 3
"""Servers that run: three, then two, then two and a new one."""
MARGIN = 0.05


def config(bucket: WideBucket) -> str:
    """Return the configuration of a server, without its address."""
    return (
        f'[store.em]\nengine = "ngprecomputed"\nref = "{bucket.url}/em"\ninstance = "em"\nanonymous = true\n'
    )


def draw_views() -> list[list[Ask]]:
    """Return what clients ask for, view by view."""
    rnd = random.Random(1)
    return [view for _ in range(WALKS) for view in walk(rnd, 3)]


def draw_long_lists(count: int) -> list[list[Ask]]:
    """Return views of 400 blocks each, all of them elsewhere."""
    rnd = random.Random(2)
    places = [
        (rnd.randrange(BLOCKS - 20), rnd.randrange(BLOCKS - 20), rnd.randrange(BLOCKS)) for _ in range(count)
    ]
    return [[listed(0, place, (20, 20, 1))] for place in places]


Deed = Callable[[], Awaitable[None]]


async def show(url: str, views: list[list[Ask]], meanwhile: Deed | None = None) -> list[str]:
    """Let clients look at *views*, each view as soon as a client is free.

    Args:
        url: Where they ask.
        views: What they ask for. The requests of a view are sent together.
        meanwhile: What happens after the first views; None is nothing.

    Returns:
        What went wrong.
    """
    waiting = list(reversed(views))
    failures: list[str] = []
    warm = asyncio.Event()

    async def look(session: aiohttp.ClientSession) -> None:
        while waiting:
            answers = await asyncio.gather(*(fetch(session, url, ask) for ask in waiting.pop()))
            failures.extend(answer for answer in answers if answer is not None)
            if len(waiting) < len(views) - 2 * CLIENTS:
                warm.set()

    async def act() -> None:
        await warm.wait()
        if meanwhile is not None:
            await meanwhile()

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(act(), *(look(session) for _ in range(CLIENTS)))
    return failures


class Trial:
    """The same views, again and again, and the bucket that counts what is read for them."""

    def __init__(self, bucket: WideBucket, views: list[list[Ask]]) -> None:
        self.bucket = bucket
        self.views = views
        self.failures: list[str] = []

    async def reads(self, url: str, meanwhile: Deed | None = None) -> int:
        """Show all views; return how many chunks were read from the bucket for that."""
        self.bucket.reads.clear()
        self.failures += await show(url, self.views, meanwhile)
        return sum(self.bucket.reads.values())


async def read_alone(trial: Trial, servers: Fleet) -> int:
    """Return how many chunks one server reads for the views."""
    await servers.start("alone")
    reads = await trial.reads(servers.url("alone"))
    await servers.kill("alone")
    return reads


async def lost(trial: Trial, front: Balancer, deed: Deed) -> int:
    """Do something while clients look at the views; return how many chunks are read again because of it."""
    return await trial.reads(front.url, deed) + await trial.reads(front.url)


async def test_one_server_dies_and_one_is_added_under_load_and_no_request_fails(tmp_path: Path) -> None:
    need("haproxy", "haproxy")
    recipe = RECIPE.read_text().replace("slowstart 30s", "slowstart 1s")
    names = ["one", "two", "three", "four"]
    async with wide_bucket() as bucket, fleet(tmp_path, ["alone", *names], config(bucket)) as servers:
        trial = Trial(bucket, draw_views())
        alone = await read_alone(trial, servers)
        await servers.start("one", "two", "three")
        async with balancing(tmp_path, {name: servers.addresses[name] for name in names}, recipe) as front:
            await front.until("four", "DOWN")
            together = await trial.reads(front.url)
            assert await trial.reads(front.url) == 0, "the views are warm"

            async def add() -> None:
                await servers.start("four")
                await front.until_full("four")

            killed = await lost(trial, front, lambda: servers.kill("two"))
            assert (await front.states())["two"] == "DOWN"
            added = await lost(trial, front, add)
        requests = sum(len(view) for view in trial.views)
        log.info(
            "%d requests for %d chunks; duplicate reads of %d servers: %.1f %%",
            requests,
            alone,
            N,
            100 * (together / alone - 1),
        )
        log.info(
            "warm hits lost when one dies: %.1f %%; when one is added: %.1f %%",
            100 * killed / alone,
            100 * added / alone,
        )
        assert trial.failures == []
        assert together <= alone * (1 + MARGIN)
        assert 0 < killed <= alone * (1 / N + MARGIN)
        assert 0 < added <= alone * (1 / N + MARGIN)
        logs = "".join(servers.log(name) for name in names)
        assert "Traceback" not in logs
        assert " ERROR " not in logs


async def test_a_killed_server_cuts_what_it_was_sending_and_nothing_else(tmp_path: Path) -> None:
    need("haproxy", "haproxy")
    names = ["one", "two", "three"]
    async with wide_bucket() as bucket, fleet(tmp_path, names, config(bucket)) as servers:
        bucket.delay_s = 0.03
        await servers.start(*names)
        trial = Trial(bucket, draw_long_lists(40))
        backs = {name: servers.addresses[name] for name in names}
        async with balancing(tmp_path, backs, RECIPE.read_text()) as front:
            await trial.reads(front.url, lambda: servers.kill("two"))
            cut = trial.failures
            assert len(cut) <= CLIENTS
            assert all(failure.startswith("ClientPayloadError") for failure in cut), cut
            trial.failures = []
            await trial.reads(front.url)
            assert trial.failures == []
