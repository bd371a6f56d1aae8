"""Listing a bucket goes on after a failure from where it was, and does not end early."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from dvidpc.errors import StoreError, StoreRefusedError
from dvidpc.storage.listing import BucketLister, StoredObject
from tests.storage.listings import collect

KEYS = [f"em/s0/{number}" for number in range(6)]


class Pages:
    """A `PageSource` of two keys a page that fails before the pages that a test names."""

    def __init__(self, *failures: StoreError | None) -> None:
        self.failures = list(failures)
        self.asked: list[tuple[str, str | None]] = []
        self.closed = False

    async def pages(self, name: str, prefix: str, after: str | None) -> AsyncIterator[Sequence[StoredObject]]:
        assert name == "s3://bucket/em/s0"
        self.asked.append((prefix, after))
        keys = [key for key in KEYS if after is None or key > after]
        for start in range(0, len(keys), 2):
            await asyncio.sleep(0)
            failure = self.failures.pop(0) if self.failures else None
            if failure is not None:
                raise failure
            yield [StoredObject(key, 1) for key in keys[start : start + 2]]

    async def close(self) -> None:
        self.closed = True


def lister_over(source: Pages) -> BucketLister:
    return BucketLister(source, url="s3://bucket/em", prefix="em")


async def names(source: Pages) -> list[str]:
    return [name for name, _ in await collect(lister_over(source), "s0")]


async def test_names_are_relative_to_the_directory() -> None:
    source = Pages()
    assert await names(source) == ["0", "1", "2", "3", "4", "5"]
    assert source.asked == [("em/s0/", None)]


async def test_failed_page_is_listed_again_behind_the_last_object() -> None:
    failure = StoreError("503")
    source = Pages(None, failure, failure, None, failure)
    assert await names(source) == ["0", "1", "2", "3", "4", "5"]
    assert [after for _, after in source.asked] == [None, "em/s0/1", "em/s0/1", "em/s0/3"]


async def test_page_that_fails_three_times_is_a_failure_and_not_the_end() -> None:
    source = Pages(*(StoreError(str(number)) for number in range(4)))
    with pytest.raises(StoreError, match="2"):
        await names(source)
    assert len(source.asked) == 3


async def test_refusal_is_not_retried() -> None:
    source = Pages(StoreRefusedError("403"))
    with pytest.raises(StoreRefusedError):
        await names(source)
    assert len(source.asked) == 1


async def test_object_named_like_the_directory_is_left_out() -> None:
    class Marked(Pages):
        async def pages(
            self, name: str, prefix: str, after: str | None
        ) -> AsyncIterator[Sequence[StoredObject]]:
            del name, after
            yield [StoredObject(prefix, 0), StoredObject(f"{prefix}a", 1)]

    assert await names(Marked()) == ["a"]


async def test_closed_lister_says_so() -> None:
    source = Pages()
    lister = lister_over(source)
    await lister.close()
    assert source.closed
    with pytest.raises(StoreError, match="cannot be listed: the store is closed"):
        await collect(lister, "s0")
