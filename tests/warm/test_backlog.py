"""Reads wait for the disk."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from dvidpc.warm.backlog import Backlog

READS = st.lists(st.tuples(st.integers(0, 120), st.integers(0, 120)), max_size=30)


class Disk:
    """A queue that is written when it is flushed."""

    def __init__(self) -> None:
        self.queued = 0
        self.most = 0

    def put(self, nbytes: int) -> None:
        self.queued += nbytes
        self.most = max(self.most, self.queued)

    async def flush(self) -> None:
        queued = self.queued
        await asyncio.sleep(0)
        self.queued -= queued


@given(READS, st.integers(1, 5))
def test_the_queue_never_holds_more_than_it_may(reads: list[tuple[int, int]], at_a_time: int) -> None:
    disk = Disk()
    asyncio.run(read_all(disk, reads, at_a_time))
    assert disk.most <= max(100, *(size for size, _ in reads), 0)


async def read_all(disk: Disk, reads: list[tuple[int, int]], at_a_time: int) -> None:
    """Read, several at a time; a read writes at most what was announced."""
    backlog = Backlog(disk.flush, most=100)
    waiting = iter(reads)

    async def work() -> None:
        for size, written in waiting:
            await backlog.begin(size)
            await asyncio.sleep(0)
            disk.put(min(size, written))
            backlog.end(size, min(size, written))

    await asyncio.gather(*(work() for _ in range(at_a_time)))


async def test_nothing_is_flushed_while_nothing_is_written() -> None:
    async def flush() -> None:
        raise AssertionError

    backlog = Backlog(flush, most=100)
    for _ in range(10):
        await backlog.begin(90)
        backlog.end(90, 0)
