"""Segments are ranked by their number of annotations, if they can be listed and are few."""

from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dvidpc.config import CacheConfig, LimitsConfig
from dvidpc.data.annotation_opening import open_reader
from dvidpc.data.label_ranks import MAX_RANKED, LabelRanks, Rank
from dvidpc.errors import RequestError, StoreError, StoreRefusedError
from dvidpc.formats.precomputed.annotation_settings import Kind
from dvidpc.sources.framing_plan import frame_plan
from dvidpc.sources.plan import VolumeSettings
from dvidpc.sources.precomputed.collection_planning import plan_collection
from dvidpc.sources.precomputed.location import find_info
from dvidpc.storage.base import Listed, Lister, UpstreamLimits
from dvidpc.storage.opening import open_lister, open_store
from dvidpc.volume.resources import make_resources
from tests.access import access_to
from tests.synapses import BIG, Line, write_lines

SETTINGS = VolumeSettings("syn", "syn", 64)
LINES = [
    *(Line(n, (10, 10, 10), (20, 10 + n, 10), {}, 5, 6) for n in range(1, 5)),
    Line(5, (30, 10, 10), (40, 10, 10), {}, 5, 7),
    Line(6, (50, 10, 10), (60, 10, 10), {}, BIG, 7),
    Line(7, (70, 10, 10), (80, 10, 10), {}, 6, 0),
]


class Pages:
    """A Lister of *names* in every directory, which may fail."""

    def __init__(self, names: Sequence[str], error: StoreError | None = None) -> None:
        self.names = names
        self.error = error
        self.closed = 0

    async def list_below(self, _directory: str) -> AsyncIterator[list[Listed]]:
        if self.error is not None:
            raise self.error
        for at in range(0, len(self.names), 1000):
            yield [Listed(name, 1) for name in self.names[at : at + 1000]]

    async def close(self) -> None:
        self.closed += 1


@asynccontextmanager
async def ranking(directory: Path, pages: Pages | None) -> AsyncIterator[LabelRanks]:
    """Ranks of the segments in LINES, listed by *pages*; None: by the directory itself."""
    write_lines(directory, LINES)
    store = await open_store(access_to(directory), UpstreamLimits(), environ={})
    plan = plan_collection(await find_info(store, ""), SETTINGS)
    framed = frame_plan(plan, SETTINGS, ())
    assert framed.collection is not None

    async def open_pages() -> Lister | None:
        if pages is not None:
            return pages
        return await open_lister(access_to(directory), UpstreamLimits(), environ={})

    with ThreadPoolExecutor(1) as pool:
        resources = make_resources(CacheConfig(), LimitsConfig(), pool)
        yield LabelRanks(open_reader(framed, store, resources), framed.collection, store, open_pages)
    await store.close()


async def test_segments_are_ranked_by_their_elements(tmp_path: Path) -> None:
    async with ranking(tmp_path / "syn", None) as ranks:
        assert await ranks.get(Kind.PRE_SYN) == [Rank(5, 2), Rank(6, 1), Rank(BIG, 1)]
        assert await ranks.get(Kind.POST_SYN) == [Rank(6, 4), Rank(7, 2)]
        assert await ranks.get(None) == [Rank(6, 5), Rank(5, 2), Rank(7, 2), Rank(BIG, 1)]
        assert await ranks.get(Kind.GAP) == []


async def test_too_many_segments_are_not_ranked(tmp_path: Path) -> None:
    pages = Pages([str(number) for number in range(MAX_RANKED + 1)])
    async with ranking(tmp_path / "syn", pages) as ranks:
        with pytest.raises(RequestError, match="more than 10000 have annotations; use count"):
            await ranks.get(None)
    assert pages.closed == 1


async def test_other_objects_are_no_segments(tmp_path: Path) -> None:
    async with ranking(tmp_path / "syn", Pages(["info", "5", "7.gz", "05", "x/6", "-1"])) as ranks:
        assert await ranks.get(None) == [Rank(5, 2), Rank(7, 2)]


async def test_a_store_that_cannot_be_listed_has_no_ranks(tmp_path: Path) -> None:
    refusing = Pages([], StoreRefusedError("403", 403))
    async with ranking(tmp_path / "syn", refusing) as ranks:
        with pytest.raises(RequestError, match="the store refuses to list them: 403"):
            await ranks.get(None)
    failing = Pages([], StoreError("down"))
    async with ranking(tmp_path / "more", failing) as ranks:
        with pytest.raises(StoreError, match="down"):
            await ranks.get(None)
    assert refusing.closed == failing.closed == 1
