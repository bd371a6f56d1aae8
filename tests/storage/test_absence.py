"""Absence is believed only while the metadata can be read."""

import asyncio

import pytest

from dvidpc.errors import StoreError
from dvidpc.storage.absence import FRESH_S, Absences


class Place:
    """A store whose metadata can be read or not, with a clock of its own."""

    def __init__(self) -> None:
        self.now = 100.0
        self.can_read = True
        self.asked: list[str] = []
        self.retracted = 0
        self.absences = Absences(lambda: self.now)
        self.absences.on_retracted(self.note)

    def note(self) -> None:
        self.retracted += 1

    async def ask(self, key: str) -> bool:
        self.asked.append(key)
        await asyncio.sleep(0)
        return self.can_read

    async def believes(self, secret: object = None, *, by_default: bool = False) -> bool:
        return await self.absences.believes(self.ask, secret, by_default=by_default)


async def test_before_the_metadata_was_read_the_default_holds() -> None:
    place = Place()
    assert await place.believes(by_default=True)
    assert not await place.believes(by_default=False)
    assert place.asked == []


async def test_a_read_a_moment_ago_is_proof() -> None:
    place = Place()
    place.absences.note_read()
    assert await place.believes()
    place.now += FRESH_S
    assert not await place.believes()


async def test_the_metadata_is_asked_for_once_in_a_while() -> None:
    place = Place()
    place.absences.note_read(metadata_key="info")
    place.now += FRESH_S
    assert await asyncio.gather(*(place.believes() for _ in range(50))) == [True] * 50
    assert place.asked == ["info"]
    place.can_read = False
    place.now += FRESH_S
    assert await asyncio.gather(*(place.believes() for _ in range(50))) == [False] * 50
    assert place.asked == ["info", "info"]
    place.can_read = True
    place.now += FRESH_S
    assert await place.believes()


async def test_other_credentials_are_no_proof() -> None:
    place = Place()
    place.absences.note_read("old", metadata_key="info")
    assert await place.believes("old")
    place.can_read = False
    assert not await place.believes("new")


async def test_what_was_believed_too_early_is_retracted_once() -> None:
    place = Place()
    place.absences.note_read(metadata_key="info")
    assert await place.believes()
    place.can_read = False
    place.now += FRESH_S
    assert not await place.believes()
    place.absences.note_lost()
    assert place.retracted == 1


async def test_nothing_is_retracted_if_something_was_read_since() -> None:
    place = Place()
    place.absences.note_read(metadata_key="info")
    assert await place.believes()
    place.absences.note_read()
    place.absences.note_lost()
    assert place.retracted == 0


async def test_a_failure_to_ask_is_passed_on_and_decides_nothing() -> None:
    async def fail(_: str) -> bool:
        raise StoreError("no answer")

    place = Place()
    place.absences.note_read(metadata_key="info")
    place.now += FRESH_S
    with pytest.raises(StoreError, match="no answer"):
        await place.absences.believes(fail, by_default=True)
    assert await place.believes()


async def test_callbacks_do_not_keep_their_owners() -> None:
    place = Place()
    other = Place()
    place.absences.on_retracted(other.note)
    del other
    place.absences.note_read()
    assert await place.believes()
    place.absences.note_lost()
    assert place.retracted == 1
