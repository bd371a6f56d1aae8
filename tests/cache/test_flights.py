"""Shares of a load in flight: everybody gets the value, and the last to leave cancels the load."""

import asyncio

import pytest

from dvidpc.cache.flights import Flight, Share
from dvidpc.errors import StoreError
from tests.waiting import soon


class Load:
    """A load that ends when it may, as a flight of its own."""

    def __init__(self, error: StoreError | None = None) -> None:
        self.flight = Flight()
        self.may_end = asyncio.Event()
        self.left = 0
        self.error = error
        self.flight.task = asyncio.ensure_future(self._run())

    async def _run(self) -> bytes:
        try:
            await self.may_end.wait()
            if self.error is not None:
                raise self.error
            return b"value"
        finally:
            self.flight.wake()

    def share(self) -> Share[bytes]:
        return Share(self.flight, self._leave)

    def _leave(self) -> None:
        self.left += 1


async def test_every_share_gets_the_value() -> None:
    load = Load()
    waiting = [asyncio.ensure_future(load.share().value()) for _ in range(3)]
    await soon(lambda: len(load.flight.waiters) == 3)
    load.may_end.set()
    assert await asyncio.gather(*waiting) == [b"value"] * 3
    assert load.flight.waiters == set()


async def test_every_share_gets_the_failure() -> None:
    load = Load(StoreError("down"))
    waiting = [asyncio.ensure_future(load.share().value()) for _ in range(2)]
    load.may_end.set()
    for one in waiting:
        with pytest.raises(StoreError, match="down"):
            await one


async def test_a_finished_load_is_not_waited_for() -> None:
    load = Load()
    load.may_end.set()
    await load.flight.task
    assert await load.share().value() == b"value"


async def test_the_last_share_given_up_leaves_the_load() -> None:
    load = Load()
    shares = [load.share() for _ in range(2)]
    shares[0].give_up()
    assert load.left == 0
    shares[1].give_up()
    assert load.left == 1
    load.may_end.set()
    await load.flight.task


async def test_a_caller_that_is_cancelled_does_not_cancel_the_load() -> None:
    load = Load()
    caller = asyncio.ensure_future(load.share().value())
    await soon(lambda: len(load.flight.waiters) == 1)
    caller.cancel()
    await asyncio.wait([caller])
    assert load.flight.waiters == set()
    assert not load.flight.task.done()
    load.may_end.set()
    assert await load.share().value() == b"value"
