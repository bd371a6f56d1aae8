"""Segments are found by listing a directory: within a bound, once a minute, and refusals are clear."""

import re
from collections.abc import AsyncIterator

import pytest

from dvidpc.data.listed_ids import MAX_OBJECTS, ListedIds
from dvidpc.errors import RequestError, StoreError, StoreRefusedError
from dvidpc.storage.base import Listed, Lister

NAMES = re.compile(r"(0|[1-9][0-9]{0,19}):0")


class Pages:
    """A Lister of *names*, which may fail; counts how often it is asked."""

    def __init__(self, names: list[str], error: StoreError | None = None) -> None:
        self.names = names
        self.error = error
        self.asked = 0
        self.closed = 0

    async def list_below(self, directory: str) -> AsyncIterator[list[Listed]]:
        assert directory == "mesh"
        self.asked += 1
        if self.error is not None:
            raise self.error
        for at in range(0, len(self.names), 1000):
            yield [Listed(name, 1) for name in self.names[at : at + 1000]]

    async def close(self) -> None:
        self.closed += 1


async def names() -> re.Pattern[str]:
    return NAMES


def listed(pages: Pages) -> ListedIds:
    async def open_lister() -> Lister:
        return pages

    return ListedIds(open_lister, "mesh", names)


async def test_ids_are_those_of_matching_names_and_listed_once() -> None:
    pages = Pages(["info", "77:0", "77:0:1", "5:0", "05:0", "x"])
    ids = listed(pages)
    for _ in range(2):
        assert sorted(await ids.ids()) == [5, 77]
    assert (pages.asked, pages.closed) == (1, 1)


async def test_too_many_objects_are_refused_once_a_minute() -> None:
    pages = Pages([f"{number}:0:1" for number in range(MAX_OBJECTS + 1)])
    ids = listed(pages)
    for _ in range(2):
        with pytest.raises(RequestError, match="more than 100000 objects"):
            await ids.ids()
    assert (pages.asked, pages.closed) == (1, 1)


async def test_a_store_that_refuses_is_no_failure_and_a_failure_is_no_refusal() -> None:
    with pytest.raises(RequestError, match="the store refuses to list: denied"):
        await listed(Pages([], StoreRefusedError("denied"))).ids()
    pages = Pages(["5:0"], StoreError("down"))
    ids = listed(pages)
    with pytest.raises(StoreError, match="down"):
        await ids.ids()
    pages.error = None
    assert await ids.ids() == [5]
