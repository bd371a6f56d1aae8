"""What one request holds is loaded once for it, and dropped when it ends."""

import pytest

from dvidpc.cache.held import HELD_BYTES, Hold, make_held
from dvidpc.errors import StoreError


class Source:
    """Counts its loads."""

    def __init__(self, value: bytes | None = b"value") -> None:
        self.value = value
        self.loads = 0

    async def load(self) -> bytes | None:
        self.loads += 1
        return self.value


@pytest.mark.parametrize("value", [b"value", None], ids=["stored", "absent"])
async def test_a_request_loads_each_chunk_once(value: bytes | None) -> None:
    source, hold = Source(value), Hold(make_held())
    for _ in range(3):
        assert await hold.get_or_load("key", source.load) == value
    assert source.loads == 1


async def test_requests_do_not_see_what_others_hold() -> None:
    source, held = Source(), make_held()
    for hold in (Hold(held), Hold(held)):
        await hold.get_or_load("key", source.load)
    assert source.loads == 2


async def test_closing_drops_what_the_request_holds_and_nothing_else() -> None:
    source, held = Source(), make_held()
    first, second = Hold(held), Hold(held)
    for hold in (first, second):
        await hold.get_or_load("key", source.load)
    first.close()
    assert len(held) == 1
    await second.get_or_load("key", source.load)
    assert source.loads == 2


async def test_a_closed_hold_still_loads_but_keeps_nothing() -> None:
    source, held = Source(), make_held()
    hold = Hold(held)
    hold.close()
    for _ in range(2):
        assert await hold.get_or_load("key", source.load) == b"value"
    assert (source.loads, len(held)) == (2, 0)


async def test_a_failure_is_not_held() -> None:
    source, hold = Source(), Hold(make_held())

    async def fail() -> bytes:
        raise StoreError("down")

    with pytest.raises(StoreError):
        await hold.get_or_load("key", fail)
    assert await hold.get_or_load("key", source.load) == b"value"


def test_all_requests_together_are_bounded() -> None:
    assert make_held().max_bytes == HELD_BYTES
