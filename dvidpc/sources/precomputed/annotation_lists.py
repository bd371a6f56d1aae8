"""Reads lists of annotations, of cells and of related objects, and keeps them prepared for queries."""

import asyncio
import logging
from collections.abc import Hashable, Iterator, Sequence
from functools import partial
from typing import Final

import numpy as np

from dvidpc.cache.loading_cache import MISSING, Missing
from dvidpc.errors import FormatError, OversizeError, RequestError
from dvidpc.formats.lattice import Cell, Cells, Lattice
from dvidpc.formats.precomputed.annotation_info import AnnotationType, Collection
from dvidpc.formats.precomputed.annotation_layout import make_layout
from dvidpc.formats.precomputed.annotation_records import (
    COUNT_SIZE,
    ID_SIZE,
    Record,
    decode_count,
    decode_record,
    max_list_size,
)
from dvidpc.formats.precomputed.annotation_roles import Roles
from dvidpc.formats.precomputed.annotation_rows import Rows, decode_rows, extents
from dvidpc.formats.precomputed.chunk_ids import MortonCodes
from dvidpc.sources.plan import Metadata
from dvidpc.sources.precomputed.annotation_places import AnnotationTools, ListKey, ListPlace
from dvidpc.storage.base import ObjectStore
from dvidpc.tasks import gather_or_cancel

log = logging.getLogger(__name__)

MAX_STRAYS: Final = 0.05
"""The share of a cell's annotations that may lie elsewhere before the index is suspect."""

_MAX_IDS: Final = 2**22
"""Ids of one minishard beyond which its index is surely damaged."""
_MAX_RECORD_SIZE: Final = 2**20
_BATCH: Final = 64
"""Lists that are looked up before the event loop has its turn."""
_CONCURRENT_READS: Final = 64
"""Lists of one collection that are read at a time."""


class AnnotationLists:
    """The lists of one collection.

    Args:
        store: Where the collection lies.
        metadata: Its `info`, and in which directory.
        collection: What the `info` says.
        roles: What everything in the collection is.
        tools: Caches, threads and limits.
    """

    def __init__(
        self,
        store: ObjectStore,
        metadata: Metadata,
        collection: Collection,
        roles: Roles,
        tools: AnnotationTools,
    ) -> None:
        self._collection = collection
        self._roles = roles
        self._tools = tools
        self._url = metadata.url
        self.identity = f"{store.identity} {metadata.directory} {metadata.digest}"
        """Names this content for cache keys: store, place and metadata."""
        self.layout = make_layout(collection.annotation_type, collection.properties)
        self.lattices = tuple(
            Lattice(collection.origin, level.chunk_size, level.grid_shape) for level in collection.levels
        )
        """The grid of each level."""
        self._codes = [MortonCodes(lattice.shape) for lattice in self.lattices]
        levels = [(level.index, level.num_cells) for level in collection.levels]
        related = [(relationship.index, _MAX_IDS) for relationship in collection.relationships]
        self._places = [
            ListPlace(store, metadata.directory, index, min(most, _MAX_IDS), tools.indexes)
            for index, most in [*levels, *related]
        ]
        self._by_id = (
            None
            if collection.by_id is None
            else ListPlace(store, metadata.directory, collection.by_id, _MAX_IDS, tools.indexes)
        )
        self._reading = asyncio.Semaphore(_CONCURRENT_READS)
        self._warned: set[str] = set()
        store.on_retracted(self.forget)
        for place in self._places:
            if place.shards is not None:
                place.shards.on_replaced(self.forget)

    def cell_key(self, level: int, cell: Cell) -> ListKey:
        """Return the key of the list of a cell."""
        return ListKey(level, self._codes[level].code(cell), cell)

    async def cell_keys(self, cells: Sequence[Cells]) -> list[ListKey]:
        """Return the keys of the lists of some cells of each level."""

        def list_keys() -> list[ListKey]:
            return [self.cell_key(level, cell) for level, each in enumerate(cells) for cell in each]

        if sum(each.count for each in cells) <= _BATCH:
            return list_keys()
        return await self._tools.run(list_keys)

    def related_key(self, relationship: int, object_id: int) -> ListKey:
        """Return the key of the list of an object that annotations are related to."""
        return ListKey(len(self.lattices) + relationship, object_id)

    async def read_all(self, keys: Sequence[ListKey]) -> list[Rows | None]:
        """Return lists, None for each that does not exist; many are read concurrently.

        Raises:
            FormatError: One is malformed; the message names it.
            RequestError: They hold more annotations than one request may decode.
            StoreError: The bucket failed.
        """
        await self._check_sizes(keys)
        total = 0

        def add(rows: Rows | None) -> Rows | None:
            nonlocal total
            total += 0 if rows is None else len(rows.decoded.ids)
            self._check_total(total)
            return rows

        async def load(key: ListKey) -> Rows | None:
            return add(await self.read(key))

        found: list[Rows | None] = []
        for batch in _batches(keys):
            peeked = [self._peek(key) for key in batch]
            missing = [key for key, rows in zip(batch, peeked, strict=True) if rows is MISSING]
            loaded = iter(await gather_or_cancel(map(load, missing)))
            found += [next(loaded) if rows is MISSING else add(rows) for rows in peeked]
            if len(found) < len(keys):
                await asyncio.sleep(0)  # nothing else waits if all lists are cached
        return found

    def _peek(self, key: ListKey) -> Rows | Missing | None:
        rows: Rows | Missing | None = self._tools.prepared.peek(self._cache_key(key))
        return rows

    async def read(self, key: ListKey) -> Rows | None:
        """Return one list; None if it does not exist. Errors are those of `read_all`."""
        cache_key = self._cache_key(key)
        return await self._tools.prepared.get_or_load(cache_key, partial(self._load, key))

    async def read_record(self, annotation_id: int) -> Record | None:
        """Return an annotation by its id, with the objects it is related to; None if it does not exist.

        Raises:
            FormatError: It is malformed, or the collection has no index by id.
            StoreError: The bucket failed.
        """
        if self._by_id is None:
            raise FormatError(f"{self._url}: by_id is missing")
        key = ListKey(len(self._places), annotation_id)
        data = await self._by_id.read(key, _MAX_RECORD_SIZE)
        if data is None:
            return None
        try:
            return decode_record(data, self.layout, annotation_id, len(self._collection.relationships))
        except FormatError as error:
            raise FormatError(f"{self._by_id.describe(key)}: {error}") from error

    def forget(self) -> None:
        """Drop all lists: they may have been replaced, or exist after all."""
        identity = self.identity

        def is_ours(key: Hashable) -> bool:
            return isinstance(key, tuple) and key[0] == identity

        self._tools.prepared.drop_where(is_ours)

    def _cache_key(self, key: ListKey) -> Hashable:
        return self.identity, key.place, key.number

    async def _load(self, key: ListKey) -> Rows | None:
        place = self._places[key.place]
        most = max_list_size(self._tools.max_annotations, self.layout)
        async with self._reading:
            try:
                data = await place.read(key, most)
            except OversizeError as error:
                raise self._too_many(str(error)) from error
            if data is None:
                return None
            try:
                self._check_total(decode_count(data))
                rows, num_strays = await self._tools.run(partial(self._decode, data, key))
            except FormatError as error:
                raise FormatError(f"{place.describe(key)}: {error}") from error
        self._warn(key, rows, num_strays)
        return rows

    def _decode(self, data: bytes, key: ListKey) -> tuple[Rows, int]:
        """Return a decoded list, and how many of its annotations do not touch its cell."""
        rows = decode_rows(data, self.layout, self._roles.placement)
        if key.cell is None:
            return rows, 0
        boxes = extents(rows.decoded, rows.annotation_type)
        return rows, int(np.count_nonzero(self.lattices[key.place].misses(key.cell, boxes)))

    async def _check_sizes(self, keys: Sequence[ListKey]) -> None:
        """Refuse to read more annotations than allowed, where indexes tell how many there are."""
        if self.layout.annotation_type is AnnotationType.POLYLINE:
            return
        per_annotation = self.layout.size + ID_SIZE
        total = 0
        if not any(place.tells_sizes for place in self._places):
            return
        for batch in _batches(keys):
            sized = [key for key in batch if self._places[key.place].tells_sizes]
            unread = [key for key in sized if self._peek(key) is MISSING]
            sizes = await gather_or_cancel(self._places[key.place].stored_size(key) for key in unread)
            total += sum(max(size - COUNT_SIZE, 0) // per_annotation for size in sizes)
            self._check_total(total)
            await asyncio.sleep(0)

    def _check_total(self, count: int) -> None:
        if count > self._tools.max_annotations:
            raise self._too_many(f"{count} annotations to read")

    def _too_many(self, found: str) -> RequestError:
        return RequestError(
            f"{found}; this server reads at most {self._tools.max_annotations} annotations for one "
            "request (max_annotations): ask for a smaller box"
        )

    def _warn(self, key: ListKey, rows: Rows, num_strays: int) -> None:
        """Log what is odd about a list, the first time that it is seen in the collection."""
        count = len(rows.decoded.ids)
        name = self._places[key.place].describe(key)
        if num_strays > MAX_STRAYS * count and "strays" not in self._warned:
            self._warned.add("strays")
            log.warning(
                "annotations lie outside of the cell that lists them: %s: %d of %d in %s; answers may lack "
                "elements: have the collection written again, or set margin",
                self._url,
                num_strays,
                count,
                name,
            )
        if rows.num_unplaced and "unplaced" not in self._warned:
            self._warned.add("unplaced")
            log.warning(
                "annotations are left out: %s: %d positions in %s are not finite or beyond 2^31 voxels; "
                "check voxel_size",
                self._url,
                rows.num_unplaced,
                name,
            )


def _batches(keys: Sequence[ListKey]) -> Iterator[Sequence[ListKey]]:
    """Yield *keys* in parts that are looked up at a time."""
    for at in range(0, len(keys), _BATCH):
        yield keys[at : at + _BATCH]
