"""Opens readers of collections in memory for tests."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.formats.grid import Box
from dvidpc.formats.precomputed.annotation_info import parse_annotation_info
from dvidpc.formats.precomputed.annotation_roles import decide_roles
from dvidpc.formats.precomputed.annotation_settings import AnnotationSettings
from dvidpc.sources.plan import Metadata
from dvidpc.sources.precomputed.annotation_places import AnnotationTools
from dvidpc.sources.precomputed.annotation_reader import AnnotationReader
from dvidpc.storage.base import ObjectStore
from dvidpc.types import Point
from tests.segments import MemoryStore

T = TypeVar("T")


def open_collection(
    store: ObjectStore,
    info: bytes,
    pool: ThreadPoolExecutor,
    settings: AnnotationSettings | None = None,
    **limits: int,
) -> AnnotationReader:
    """A reader of the collection in `syn`, with caches of its own."""
    indexes, prepared = (LoadingCache(2**28, absence_ttl_s=30, clock=time.monotonic) for _ in range(2))
    tools = AnnotationTools(indexes, prepared, pool, **limits)
    collection = parse_annotation_info(info)
    roles = decide_roles(collection, settings or AnnotationSettings(), None, "[store.synapses]")
    return AnnotationReader(store, Metadata("syn", f"{store.url}syn/info", info), collection, roles, tools)


def ask(
    objects: Mapping[str, bytes] | MemoryStore,
    question: Callable[[AnnotationReader], Awaitable[T]],
    settings: AnnotationSettings | None = None,
    **limits: int,
) -> T:
    """Return the answer of a new reader to one question."""
    store = objects if isinstance(objects, MemoryStore) else MemoryStore(objects)

    async def run() -> T:
        with ThreadPoolExecutor(2) as pool:
            reader = open_collection(store, store.objects["syn/info"], pool, settings, **limits)
            return await question(reader)

    return asyncio.run(run())


def box_of(start: tuple[int, int, int], size: tuple[int, int, int]) -> Box:
    """A box by its start and size."""
    return Box(Point(*start), Point(*(a + n for a, n in zip(start, size, strict=True))))


async def whole(reader: AnnotationReader) -> bytes:
    """The body of `all-elements`."""
    return b"".join([part async for part in await reader.all_elements()])
