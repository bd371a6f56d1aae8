"""The load sampler measures rates and the lag of the event loop."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dvidpc.http.sampling import LoadSampler, Reads


async def measured(sampler: LoadSampler, times: int) -> None:
    """Return once *sampler*, which runs, has measured the lag so many times."""
    async with asyncio.timeout(10):
        while sum(sampler.lag.counts) < times:  # noqa: ASYNC110 - the sampler has no event
            await asyncio.sleep(0)


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
    totals = [Reads(5, 100), Reads(7, 150), Reads(17, 1150)]
    sampler = LoadSampler(lambda: totals.pop(0) if len(totals) > 1 else totals[0], period_s=0.004)
    assert sampler.rate == Reads(0, 0)
    async with sampling(sampler):
        await measured(sampler, 4)
    assert sampler.rate == Reads(2, 50)


async def test_the_rate_falls_to_zero_when_nothing_is_read() -> None:
    sampler = LoadSampler(lambda: Reads(5, 100), period_s=0.004)
    async with sampling(sampler):
        await measured(sampler, 8)
    assert sampler.rate == Reads(0, 0)


async def test_a_blocked_event_loop_shows_as_lag() -> None:
    sampler = LoadSampler(lambda: Reads(0, 0), period_s=0.004)
    async with sampling(sampler):
        time.sleep(0.05)  # noqa: ASYNC251 - blocking the loop is what is tested
        await measured(sampler, 1)
    assert 0.04 < sampler.lag.total < 5
