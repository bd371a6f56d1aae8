"""Count which chunks of a scale are stored, by listing the bucket or by asking for each object."""

import itertools
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

import numpy as np

from dvidpc.errors import FormatError, StoreError, StoreTimeoutError
from dvidpc.formats.grid import Grid
from dvidpc.formats.precomputed.chunk_ids import ChunkIds
from dvidpc.formats.precomputed.chunk_names import chunk_name, is_chunk_name
from dvidpc.formats.precomputed.seen_chunks import Roll
from dvidpc.formats.precomputed.sharding import ShardingSpec, ShardLocation
from dvidpc.sources.counting import ChunkCount, Progress
from dvidpc.sources.precomputed import shard_indexes
from dvidpc.sources.precomputed.object_names import ObjectNames
from dvidpc.sources.precomputed.shard_indexes import PAGE_ENTRIES
from dvidpc.storage.base import LINK_TO_NOTHING, Listed, Lister, ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.storage.versions import Version
from dvidpc.tasks import gather_or_cancel
from dvidpc.types import ByteRange

_BATCH = 64
"""Objects or minishards that are read concurrently."""
_MAX_ASKED = 10_000_000
"""Objects beyond which asking for each would take too long."""


async def take_census(
    store: ObjectStore,
    lister: Lister | None,
    sharding: ShardingSpec | None,
    directory: str,
    grids: Sequence[Grid],
    progress: Progress,
) -> list[ChunkCount]:
    """Count what is stored of each copy of a scale, in the order of *grids*.

    Memory is bounded: one bit per chunk, at most 32 MiB per copy, and a few pages of listings and indexes.

    Args:
        store: Reads indexes.
        lister: Lists objects; None: objects are asked for one by one, as where listing is refused or fails.
        sharding: How the scale is sharded; None: it is not.
        directory: Where its chunks lie.
        grids: The lattices of its copies.
        progress: Called as the count goes on.

    Raises:
        StoreError: The bucket failed, or there are too many objects to ask for each.
    """
    if lister is not None:
        try:
            return await _Count(store, sharding, directory, grids, progress).by_listing(lister)
        except _CannotListError:
            pass
    return await _Count(store, sharding, directory, grids, progress).by_asking()


class _CannotListError(Exception):
    """Listing is refused, or the listing is malformed: some services do not escape odd names."""


async def _pages(lister: Lister, directory: str) -> AsyncIterator[list[Listed]]:
    """Yield the pages of a listing.

    Raises:
        StoreTimeoutError: The listing takes too long.
        _CannotListError: It failed in another way, which reads of objects need not.
    """
    pages = lister.list_below(directory)
    while True:
        try:
            page = await anext(pages, None)
        except StoreTimeoutError:
            raise
        except StoreError as error:
            raise _CannotListError from error
        if page is None:
            return
        yield page


class _Count:
    """One count of one scale."""

    def __init__(
        self,
        store: ObjectStore,
        sharding: ShardingSpec | None,
        directory: str,
        grids: Sequence[Grid],
        progress: Progress,
    ) -> None:
        self._store = store
        self._sharding = sharding
        self._directory = directory
        self._grids = grids
        self._progress = progress
        self._rolls = [Roll(grid) for grid in grids]
        self._counts = [ChunkCount(grid.chunk_size, grid.chunk_count) for grid in grids]
        self._bounds = shard_indexes.bounds_for(grids[0].chunk_count)
        self._names = ObjectNames(sharding, grids)
        self._is_listed = False

    async def by_listing(self, lister: Lister) -> list[ChunkCount]:
        self._is_listed = True
        async for page in _pages(lister, self._directory):
            if self._sharding is None:
                first = self._count_names(page)
                if first is not None and not await self._can_be_read(first):
                    self._counts[0].note_hidden(self._name(first))
            else:
                await self._count_shards(self._sharding, [entry.name for entry in page])
            self._report()
        self._report()
        return self._results()

    async def by_asking(self) -> list[ChunkCount]:
        spec = self._sharding
        names = _chunk_names(self._grids) if spec is None else _shard_names(spec, self._grids[0])
        total = sum(grid.chunk_count for grid in self._grids)
        if spec is not None:
            total = _shard_count(spec, self._grids[0])
        if total > _MAX_ASKED:
            raise StoreError(
                f"{self._name('')} cannot be listed, and {total} objects are too many to ask for"
            )
        done = 0
        while batch := list(itertools.islice(names, _BATCH)):
            if spec is None:
                self._count_names(
                    entry for entry in await gather_or_cancel(map(self._ask, batch)) if entry is not None
                )
            else:
                await self._count_shards(spec, batch)
            done += len(batch)
            self._progress(done, total)
        return self._results()

    def _report(self) -> None:
        self._progress(self._rolls[0].seen, self._rolls[0].grid.chunk_count)

    def _results(self) -> list[ChunkCount]:
        for roll, count in zip(self._rolls, self._counts, strict=True):
            count.stored = roll.seen
            absent = roll.first_unseen()
            count.first_absent = None if absent is None else chunk_name(roll.grid, absent)
        return self._counts

    def _count_names(self, page: Iterable[Listed]) -> str | None:
        """Count unsharded chunks, and return the first of them; None if there is none.

        Where copies share a directory, a clipped chunk may belong to several.
        """
        first = None
        for name, size in page:
            owners = [
                count for roll, count in zip(self._rolls, self._counts, strict=True) if roll.mark_name(name)
            ]
            if not owners:
                self._note_other(name)
                continue
            first = first or name
            if size == 0:
                owners[0].note_damage(f"{self._name(name)}: chunk is empty (0 bytes)")
            elif size == LINK_TO_NOTHING:
                owners[0].note_damage(f"{self._name(name)}: chunk is a link to nothing")
        return first

    def _note_other(self, name: str) -> None:
        """Note an object that is not read as a part of the scale."""
        if self._sharding is None and is_chunk_name(name):
            self._counts[0].note_foreign(name)
        elif (slipped := self._names.find_slip(name)) is not None:
            intended = self._key(slipped.intended) if slipped.intended else ""
            self._counts[0].strays.note(slipped.slip, slipped.detail, self._key(name), intended)
        elif not name.isprintable() or not {"", ".", ".."}.isdisjoint(name.split("/")):
            self._counts[0].note_odd(self._name(name))

    async def _can_be_read(self, name: str) -> bool:
        """Return whether an object that was listed can be read; its content does not matter."""
        try:
            return await self._store.get(self._key(name), max_size=0) is not None
        except FormatError:  # it is larger
            return True

    async def _ask(self, name: str) -> Listed | None:
        """Find out whether an object exists, by its first byte; None: it does not."""
        try:
            blob = await self._store.get_range(self._key(name), ByteRange(0, 1))
        except FormatError:
            return Listed(name, 0)
        return None if blob is None else Listed(name, len(blob.data))

    async def _count_shards(self, spec: ShardingSpec, names: Iterable[str]) -> None:
        for name in names:
            shard = self._names.shard_of(name)
            if shard is None:
                self._note_other(name)
                continue
            try:
                await self._count_shard(spec, shard)
            except FormatError as error:
                self._counts[0].note_damage(f"{error}")

    async def _count_shard(self, spec: ShardingSpec, shard: int) -> None:
        key = self._key(spec.shard_name(shard))
        last = 0
        async for version, numbered in self._minishards(spec, key):
            ends = await gather_or_cancel(
                self._count_minishard(spec, key, ShardLocation(shard, number), where, version)
                for number, where in numbered
            )
            last = max(last, *ends)
        if last:  # a truncated shard does not hold what its indexes name
            await self._store.get_range(key, ByteRange(last - 1, last))

    async def _minishards(
        self, spec: ShardingSpec, key: str
    ) -> AsyncIterator[tuple[Version, list[tuple[int, ByteRange]]]]:
        """Yield the non-empty minishards of a shard, a batch at a time, with the version of their index."""
        for page in range(-(-(1 << spec.minishard_bits) // PAGE_ENTRIES)):
            blob = await shard_indexes.read_page(self._store, key, page, spec)
            if blob is None:
                if self._is_listed and page == 0:
                    self._counts[0].note_hidden(name_object(self._store.url, key))
                return
            entries = range(min(PAGE_ENTRIES, (1 << spec.minishard_bits) - page * PAGE_ENTRIES))
            try:
                found = [
                    (page * PAGE_ENTRIES + entry, where)
                    for entry in entries
                    if (where := shard_indexes.find_minishard(blob.data, entry, spec, self._bounds))
                    is not None
                ]
            except FormatError as error:
                raise FormatError(f"{name_object(self._store.url, key)}: {error}") from error
            for at in range(0, len(found), _BATCH):
                yield blob.version, found[at : at + _BATCH]

    async def _count_minishard(
        self, spec: ShardingSpec, key: str, place: ShardLocation, where: ByteRange, version: Version
    ) -> int:
        """Count the chunks of a minishard and return where the last of them ends."""
        name = f"{name_object(self._store.url, key)} minishard {place.minishard}"
        roll, count = self._rolls[0], self._counts[0]
        blob = await self._store.get_range(key, where, version=version)
        if blob is None:
            raise StoreError(f"{name}: the shard is gone since its index was read")
        try:
            index = shard_indexes.decode_index(blob.data, spec, self._bounds)
        except FormatError as error:
            raise FormatError(f"{name}: {error}") from error
        at_home = np.array([spec.locate(int(chunk_id)) == place for chunk_id in index.chunk_ids], bool)
        known = np.zeros(len(at_home), bool)
        known[at_home] = roll.mark_ids(index.chunk_ids[at_home])
        for chunk_id in index.chunk_ids[~known]:
            count.note_foreign(f"{name} chunk {chunk_id}")
        ends = [int(start) + int(size) for start, size in zip(index.starts, index.sizes, strict=True)]
        end = max(ends, default=0)
        if end >= 2**63:
            raise FormatError(f"{name}: minishard index points beyond any file")
        return end

    def _key(self, name: str) -> str:
        return f"{self._directory}/{name}".strip("/")

    def _name(self, name: str) -> str:
        return name_object(self._store.url, self._key(name))


def _chunk_names(grids: Iterable[Grid]) -> Iterator[str]:
    return (chunk_name(grid, cell) for grid in grids for cell in grid.chunks_touching(grid.box))


def _shard_names(spec: ShardingSpec, grid: Grid) -> Iterator[str]:
    return map(spec.shard_name, range(_shard_count(spec, grid)))


def _shard_count(spec: ShardingSpec, grid: Grid) -> int:
    """Return how many shards a volume can have: for unhashed ids, those that the largest id reaches."""
    if spec.hash != "identity":
        return 1 << spec.shard_bits
    used = ChunkIds(grid).num_bits - spec.preshift_bits - spec.minishard_bits
    return 1 << max(0, min(spec.shard_bits, used))
