"""A reader is opened on demand, shared, opened again after a minute, and kept while the bucket is down."""

import asyncio

import pytest

from dvidpc.data.reopening import REOPEN_AFTER_S, Reopening
from dvidpc.errors import FormatError, StoreError


class Opener:
    """Counts attempts; fails with *error* while it is set."""

    def __init__(self) -> None:
        self.attempts = 0
        self.error: Exception | None = None
        self.now = 0.0

    async def open(self) -> int:
        self.attempts += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return self.attempts


async def test_concurrent_requests_share_one_attempt() -> None:
    opener = Opener()
    reopening = Reopening(opener.open, lambda: opener.now)
    assert await asyncio.gather(*(reopening.get() for _ in range(5))) == [1] * 5
    assert await reopening.get() == 1
    opener.now += REOPEN_AFTER_S
    assert await reopening.get() == 2


@pytest.mark.parametrize("error", [StoreError("down"), FormatError("damaged")])
async def test_a_failure_is_retried(error: Exception) -> None:
    opener = Opener()
    reopening = Reopening(opener.open, lambda: opener.now)
    opener.error = error
    for _ in range(2):
        with pytest.raises(type(error)):
            await reopening.get()
    opener.error = None
    assert await reopening.get() == 3


async def test_the_reader_from_before_is_used_while_the_bucket_is_down() -> None:
    opener = Opener()
    reopening = Reopening(opener.open, lambda: opener.now)
    assert await reopening.get() == 1
    opener.now += REOPEN_AFTER_S
    opener.error = StoreError("down")
    assert await reopening.get() == 1
    opener.error = FormatError("damaged")
    with pytest.raises(FormatError):
        await reopening.get()


async def test_a_prepared_reader_is_opened_before_it_is_needed() -> None:
    opener = Opener()
    reopening = Reopening(opener.open, lambda: opener.now)
    await reopening.prepare()
    assert (opener.attempts, await reopening.get()) == (1, 1)
    await reopening.prepare()
    assert (opener.attempts, await reopening.get()) == (2, 2)


@pytest.mark.parametrize("error", [StoreError("down"), FormatError("damaged")])
async def test_a_failed_preparation_changes_nothing(error: Exception) -> None:
    opener = Opener()
    reopening = Reopening(opener.open, lambda: opener.now)
    await reopening.prepare()
    opener.error = error
    await reopening.prepare()
    assert (opener.attempts, await reopening.get()) == (2, 1)
    opener.now += REOPEN_AFTER_S
    opener.error = FormatError("damaged")
    with pytest.raises(FormatError):
        await reopening.get()


async def test_a_request_joins_a_preparation() -> None:
    opener = Opener()
    reopening = Reopening(opener.open, lambda: opener.now)
    _, reader = await asyncio.gather(reopening.prepare(), reopening.get())
    assert (opener.attempts, reader) == (1, 1)


async def test_a_forgotten_reader_is_opened_again() -> None:
    opener = Opener()
    reopening = Reopening(opener.open, lambda: opener.now)
    await reopening.get()
    reopening.forget()
    assert await reopening.get() == 2
