"""Several servers behind deploy/haproxy.cfg behave as one, also while one of them dies and one is added."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from tests.balancer import RECIPE, Balancer, balancing
from tests.deploy.fleet import Fleet, fleet
from tests.deploy.visits import Ask, fetch, walk
from tests.deploy.wide_bucket import WideBucket, wide_bucket
from tests.programs import need

N = 3
CLIENTS = 8
WALKS = 150


def config(bucket: WideBucket) -> str:
    return f'[store.em]\nengine = "ngprecomputed"\nref = "{bucket.url}/em"\ninstance = "em"\nanonymous = true\n'


def views(seed: int) -> list[list[Ask]]:
    rnd = random.Random(seed)
    return [view for _ in range(WALKS) for view in walk(rnd, 4)]


async def show(url: str, views: list[list[Ask]], halfway: Callable[[], Awaitable[object]] | None = None) -> list[str]:
    """Let clients look at *views* side by side; return what failed. Do *halfway* when a third is done."""
    failures: list[str] = []
    waiting = list(reversed(views))
    started: list[asyncio.Task[object]] = []

    async def look(session: aiohttp.ClientSession) -> None:
        while waiting:
            if halfway is not None and not started and len(waiting) < len(views) * 2 / 3:
                started.append(asyncio.ensure_future(halfway()))
            answers = await asyncio.gather(*(fetch(session, url, ask) for ask in waiting.pop()))
            failures.extend(answer for answer in answers if answer is not None)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(look(session) for _ in range(CLIENTS)))
    for task in started:
        await task
    return failures


async def test_try(tmp_path):
    import time
    async with wide_bucket() as bucket, fleet(tmp_path, ["alone", "one", "two", "three", "four"], config(bucket)) as servers:
        t=time.time()
        def lap(what):
            nonlocal t; print(what, round(time.time()-t,1), sum(bucket.reads.values()), len(bucket.reads), flush=True); t=time.time()
        await servers.start("alone")
        lap("start")
        todo = views(1)
        print(len(todo), sum(len(v) for v in todo), sum(len(a.blocks) for v in todo for a in v))
        bucket.reads.clear()
        assert not await show(servers.url("alone"), todo)
        lap("alone")
        await servers.kill("alone")
        bucket.reads.clear()
        await servers.start("one", "two", "three")
        lap("start three")
        backs={n:servers.ports[n] for n in ("one","two","three","four")}
        async with balancing(tmp_path, backs, RECIPE.read_text().replace("slowstart 30s","slowstart 3s")) as front:
            await front.until("four", "DOWN")
            print(await front.states())
            lap("haproxy")
            print(await show(front.url, todo))
            lap("three")
            bucket.reads.clear()
            print(await show(front.url, todo))
            lap("warm")
            bucket.reads.clear()
            print(await show(front.url, todo, lambda: servers.kill("two")))
            lap("killed")
            print(await front.states())
            bucket.reads.clear()
            print(await show(front.url, todo, lambda: servers.start("four")))
            lap("added")
            print(await front.states())
            await front.until("four", "UP")
            print(await show(front.url, todo))
            lap("after")
        print(servers.log("one")[-1500:])
