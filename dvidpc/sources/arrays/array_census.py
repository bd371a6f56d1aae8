"""Count which chunks of an array are stored, by listing the bucket or by asking for each object."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

from dvidpc.errors import FormatError, StoreError, StoreTimeoutError
from dvidpc.formats.arrays.chunk_view import ChunkView
from dvidpc.formats.arrays.shard_index import ShardIndex, ShardLayout, decode_shard_index
from dvidpc.formats.chunk_marks import ChunkMarks
from dvidpc.sources.arrays.array_names import ArrayNames
from dvidpc.sources.arrays.array_shards import read_shard_index
from dvidpc.sources.counting import ChunkCount, Progress, Slip, Survey
from dvidpc.sources.listings import first_names
from dvidpc.storage.base import Listed, Lister, ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.tasks import gather_or_cancel
from dvidpc.types import ByteRange, ChunkCoord

_BATCH: Final = 64
"""Objects that are read concurrently."""
_MAX_ASKED: Final = 10_000_000
"""Objects beyond which asking for each would take too long."""


async def count_array(
    store: ObjectStore,
    lister: Lister | None,
    directory: str,
    views: Sequence[ChunkView],
    progress: Progress,
) -> list[ChunkCount]:
    """Count what is stored of an array, all channels together; the result is one count.

    Memory is bounded: one bit per chunk, at most 32 MiB per channel.

    Args:
        store: Reads indexes.
        lister: Lists objects; None: objects are asked for one by one, as where listing is refused or fails.
        directory: Where the array lies.
        views: Its channels.
        progress: Called as the count goes on.

    Raises:
        StoreError: The bucket failed, or there are too many objects to ask for each.
    """
    if lister is not None:
        count = _Count(store, directory, views, progress)
        try:
            async for page in lister.list_below(directory):
                await count.add(page, is_listed=True)
        except StoreTimeoutError:
            raise
        except StoreError:
            pass  # listing is refused, or malformed; reads of objects need not be
        else:
            return [count.result()]
    count = _Count(store, directory, views, progress)
    async for found in _ask_for_all(store, directory, views):
        await count.add(found, is_listed=False)
    return [count.result()]


async def survey_array(lister: Lister, directory: str, views: Sequence[ChunkView]) -> Survey:
    """Return what the first pages of the listing say of an array whose chunks are not where they should be.

    Raises:
        StoreError: The store failed or refused to list.
    """
    survey, names = Survey(), ArrayNames(views)
    for name in await first_names(lister, directory):
        key = _join(directory, name)
        if names.is_document(name):
            continue
        if names.owners(name):
            survey.listed += 1
            survey.first_listed = survey.first_listed or key
        elif (slipped := names.with_other_separator(name)) is not None:
            separator, intended = slipped
            survey.strays.note(Slip.SEPARATOR, separator, key, _join(directory, intended))
    return survey


async def _ask_for_all(
    store: ObjectStore, directory: str, views: Sequence[ChunkView]
) -> AsyncIterator[list[Listed]]:
    """Yield the objects that exist, a batch at a time; of shards, all that may exist.

    Raises:
        StoreError: The bucket failed, or there are too many objects to ask for each.
    """
    total = sum(view.num_objects for view in views)
    if total > _MAX_ASKED:
        where = name_object(store.url, directory)
        raise StoreError(f"{where} cannot be listed, and {total} objects are too many to ask for")
    names = iter(dict.fromkeys(itertools.chain.from_iterable(view.names() for view in views)))
    is_sharded = views[0].level.spec.shard is not None
    while batch := list(itertools.islice(names, _BATCH)):
        if is_sharded:
            yield [Listed(name, 1) for name in batch]
        else:
            found = await gather_or_cancel(_ask(store, directory, name) for name in batch)
            yield [one for one in found if one is not None]


async def _ask(store: ObjectStore, directory: str, name: str) -> Listed | None:
    """Find out whether an object exists, by its first byte; None: it does not."""
    try:
        blob = await store.get_range(_join(directory, name), ByteRange(0, 1))
    except FormatError:
        return Listed(name, 0)
    return None if blob is None else Listed(name, len(blob.data))


class _Count:
    """One count of one array."""

    def __init__(
        self, store: ObjectStore, directory: str, views: Sequence[ChunkView], progress: Progress
    ) -> None:
        self._store = store
        self._directory = directory
        self._views = views
        self._progress = progress
        self._names = ArrayNames(views)
        self._marks = [ChunkMarks(view.level.grid) for view in views]
        grid = views[0].level.grid
        self._count = ChunkCount(
            grid.chunk_size, grid.chunk_count * len(views), fill=views[0].level.spec.fill
        )

    async def add(self, page: Iterable[Listed], *, is_listed: bool) -> None:
        """Count some objects; those that were *listed* must be readable."""
        layout = self._views[0].level.spec.shard
        owned = []
        for entry in page:
            if owners := self._names.owners(entry.name):
                owned.append((entry, owners))
            else:
                self._note_other(entry.name)
        if layout is not None:
            for start in range(0, len(owned), _BATCH):
                batch = owned[start : start + _BATCH]
                await gather_or_cancel(
                    self._count_shard(entry.name, owners, layout, is_listed=is_listed)
                    for entry, owners in batch
                )
        else:
            for entry, owners in owned:
                self._count_chunk(entry, owners)
            if owned and is_listed:
                await self._check_readable(owned[0][0].name)
        self._progress(sum(marks.seen for marks in self._marks), self._count.expected)

    def result(self) -> ChunkCount:
        """Return the count."""
        self._count.stored = sum(marks.seen for marks in self._marks)
        for view, marks in zip(self._views, self._marks, strict=True):
            absent = marks.first_unseen()
            if absent is not None:
                self._count.first_absent = view.key(absent)
                break
        return self._count

    def _count_chunk(self, entry: Listed, owners: Iterable[tuple[int, ChunkCoord]]) -> None:
        for number, cell in owners:
            self._marks[number].mark(cell)
        if entry.size == 0:
            self._count.note_damage(f"{self._name(entry.name)}: chunk is empty (0 bytes)")

    async def _count_shard(
        self, name: str, owners: Iterable[tuple[int, ChunkCoord]], layout: ShardLayout, *, is_listed: bool
    ) -> None:
        key = _join(self._directory, name)
        try:
            blob = await read_shard_index(self._store, key, layout)
            if blob is None:
                if is_listed:
                    self._count.note_hidden(self._name(name))
                return
            index = await asyncio.to_thread(self._decode, name, blob.data, layout)
            if index.end():  # a truncated shard does not hold what its index names
                end = index.end()
                await self._store.get_range(key, ByteRange(end - 1, end), version=blob.version)
            for number, first in owners:
                await asyncio.to_thread(self._mark_inner, number, first, index)
        except FormatError as error:
            self._count.note_damage(str(error))

    def _decode(self, name: str, data: bytes, layout: ShardLayout) -> ShardIndex:
        try:
            return decode_shard_index(data, layout)
        except FormatError as error:
            raise FormatError(f"{self._name(name)}: {error}") from error

    def _mark_inner(self, number: int, first: ChunkCoord, index: ShardIndex) -> None:
        view = self._views[number]
        for cell in view.stored_in(first, index):
            try:
                view.find(index, cell)
            except FormatError as error:
                raise FormatError(f"{self._name(view.key(cell))}: {error}") from error
            self._marks[number].mark(cell)

    async def _check_readable(self, name: str) -> None:
        """Note an object that was listed, but reads as absent."""
        try:
            if await self._store.get(_join(self._directory, name), max_size=0) is None:
                self._count.note_hidden(self._name(name))
        except FormatError:  # it is larger
            return

    def _note_other(self, name: str) -> None:
        """Note an object that is not read as a part of the array."""
        if self._names.is_document(name):
            return
        if self._names.is_foreign(name):
            self._count.note_foreign(name)
        elif (slipped := self._names.with_other_separator(name)) is not None:
            separator, intended = slipped
            key, right = _join(self._directory, name), _join(self._directory, intended)
            self._count.strays.note(Slip.SEPARATOR, separator, key, right)
        elif not name.isprintable() or not {"", ".", ".."}.isdisjoint(name.split("/")):
            self._count.note_odd(self._name(name))

    def _name(self, name: str) -> str:
        return name_object(self._store.url, _join(self._directory, name))


def _join(directory: str, name: str) -> str:
    """Return the key of an object; *directory* is empty for the root of the store."""
    return f"{directory}/{name}" if directory else name
