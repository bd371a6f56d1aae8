"""The load sampler measures what is read per period, and the lag of the event loop."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dvidpc.http.sampling import LoadSampler, Reads

PERIOD_S = 0.004


class Buckets:
    """Totals for the sampler to read one after the other; `read` is set once only the last is left."""

    def __init__(self, *totals: Reads) -> None:
        self.totals = list(totals)
        self.read = asyncio.Event()

    def __call__(self) -> Reads:
        total = self.totals.pop(0) if len(self.totals) > 1 else self.totals[0]
        if len(self.totals) == 1:
            self.read.set()
        return total


@asynccontextmanager
async def sampling(sampler: LoadSampler) -> AsyncIterator[None]:
    running = asyncio.create_task(sampler.run())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])


async def test_the_rate_is_what_was_read_in_the_last_period() -> None:
    buckets = Buckets(Reads(5, 100), Reads(7, 150), Reads(17, 1150))
    sampler = LoadSampler(buckets, PERIOD_S)
    assert sampler.rate == Reads(0, 0)
    async with sampling(sampler):
        async with asyncio.timeout(10):
            await buckets.read.wait()
        assert sampler.rate == Reads(2, 50)


async def test_the_rate_falls_to_zero_when_nothing_is_read() -> None:
    buckets = Buckets(Reads(5, 100), Reads(7, 150), Reads(7, 150), Reads(7, 150))
    sampler = LoadSampler(buckets, PERIOD_S)
    async with sampling(sampler):
        async with asyncio.timeout(10):
            await buckets.read.wait()
        assert sampler.rate == Reads(0, 0)
        assert sum(sampler.lag.counts) == 8


async def test_a_blocked_event_loop_shows_as_lag() -> None:
    buckets = Buckets(*[Reads(0, 0)] * 3)
    sampler = LoadSampler(buckets, PERIOD_S)
    async with sampling(sampler):
        unblocked = time.perf_counter() + 0.05
        while time.perf_counter() < unblocked:
            pass
        async with asyncio.timeout(10):
            await buckets.read.wait()
    assert 0.04 < sampler.lag.total < 5


async def test_an_idle_server_is_measured_once_per_period() -> None:
    buckets = Buckets(*[Reads(0, 0)] * 4)
    sampler = LoadSampler(buckets, PERIOD_S, is_busy=lambda: False)
    async with sampling(sampler), asyncio.timeout(10):
        await buckets.read.wait()
    assert sum(sampler.lag.counts) == 2
