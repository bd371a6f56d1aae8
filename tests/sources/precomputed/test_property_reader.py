"""Segment properties are read when needed, kept, and parsed again only once they have changed."""

import json
from collections.abc import Iterable
from dataclasses import replace

import pytest

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.errors import FormatError, StoreError
from dvidpc.sources.precomputed.property_reader import PropertyReader
from tests.segments import MemoryStore, segment_tools


def document(ids: Iterable[int]) -> bytes:
    inline = {"ids": [str(each) for each in ids], "properties": []}
    return json.dumps({"@type": "neuroglancer_segment_properties", "inline": inline}).encode()


async def test_properties_are_read_once_and_again_when_they_have_changed() -> None:
    now = 0.0
    store = MemoryStore({"props/info": document([3, 1])})
    with segment_tools() as tools:
        cache = LoadingCache(2**20, absence_ttl_s=30, clock=lambda: now)
        reader = PropertyReader(store, "props", replace(tools, documents=cache))
        assert not store.asked
        first = await reader.load()
        assert first is await reader.load()
        assert len(store.asked) == 1
        now = 2000
        cache.expire()
        assert await reader.load() is first
        assert [where for _, where in store.asked] == [None, (0, 1)]
        now = 4000
        cache.expire()
        store.objects["props/info"] = document([5])
        assert (await reader.load()).ids.tolist() == [5]


async def test_missing_and_failed_properties_are_errors() -> None:
    store = MemoryStore({"bad/info": b"[]"})
    with segment_tools() as tools:
        with pytest.raises(FormatError, match="memory://bucket/props/info does not exist"):
            await PropertyReader(store, "props", tools).load()
        with pytest.raises(FormatError, match="memory://bucket/bad/info: is not a JSON object"):
            await PropertyReader(store, "bad", tools).load()
        store.broken = True
        with pytest.raises(StoreError):
            await PropertyReader(store, "props", tools).load()
