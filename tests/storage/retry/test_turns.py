"""Parties take turns: one with many requests does not delay one with few."""

import asyncio

import pytest

from dvidpc.counters import TALLY, Tally
from dvidpc.storage.base import UpstreamLimits
from dvidpc.storage.retry.retrying_store import Gate
from dvidpc.storage.retry.turns import Turns


async def test_turns_go_round_the_parties_and_keep_the_order_within_each() -> None:
    turns, loop = Turns(), asyncio.get_running_loop()
    wishes = {name: loop.create_future() for name in ("a1", "a2", "a3", "b1", "c1", "c2")}
    for name, turn in wishes.items():
        turns.add(name[0], turn)
    assert len(turns) == 6
    order = [next(name for name, turn in wishes.items() if turn is turns_next) for turns_next in drain(turns)]
    assert order == ["a1", "b1", "c1", "a2", "c2", "a3"]
    assert turns.next() is None


def drain(turns: Turns) -> list["asyncio.Future[None]"]:
    return [turn for turn in iter(turns.next, None) if turn is not None]


async def test_who_gives_up_waits_no_more() -> None:
    turns, loop = Turns(), asyncio.get_running_loop()
    first, second = loop.create_future(), loop.create_future()
    turns.add("a", first)
    turns.add("a", second)
    turns.discard("a", first)
    turns.discard("b", second)
    assert drain(turns) == [second]
    turns.discard("a", second)
    assert len(turns) == 0


@pytest.mark.parametrize("exports", [50, 500])
async def test_a_view_is_served_between_the_reads_of_an_export(exports: int) -> None:
    gate = Gate(UpstreamLimits(concurrency=4))
    served: list[str] = []

    async def read(party: str) -> None:
        await gate.enter()
        served.append(party)
        await asyncio.sleep(0)
        gate.leave()

    async def request(party: str, reads: int) -> None:
        TALLY.set(Tally(party))
        await asyncio.gather(*(read(party) for _ in range(reads)))

    export = asyncio.create_task(request("export", exports))
    while not served:  # noqa: ASYNC110 - a list has no event
        await asyncio.sleep(0)
    await asyncio.create_task(request("view", 8))
    assert served.count("export") <= 4 + 4 + 2 * 8
    await export
    assert served.count("export") == exports
