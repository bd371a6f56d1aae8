"""Counts which chunks of a scale are stored, by listing the bucket or, where that cannot be, by asking."""

import itertools
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from dvidpc.errors import FormatError, StoreError, StoreRefusedError
from dvidpc.formats.grid import Grid
from dvidpc.formats.precomputed.chunk_ids import ChunkIds
from dvidpc.formats.precomputed.chunk_names import chunk_name, is_chunk_name
from dvidpc.formats.precomputed.seen_chunks import Roll
from dvidpc.formats.precomputed.sharding import (
    ENTRY_SIZE,
    DataEncoding,
    ShardingSpec,
    ShardLocation,
    decode_minishard_index,
    decode_shard_index_entry,
)
from dvidpc.sources.precomputed.planning import ScalePlan
from dvidpc.storage.base import Listed, Lister, ObjectStore
from dvidpc.storage.content_encoding import decode_content
from dvidpc.storage.object_checks import name_object
from dvidpc.tasks import gather_or_cancel
from dvidpc.types import ByteRange

_SHARD = re.compile(r"([0-9a-f]+)\.shard", re.ASCII)
_AT_A_TIME = 64
"""Objects or minishards that are asked for together."""
_PAGE_ENTRIES = 4096
_MAX_MINISHARD_INDEX = 2**28
"""Bytes beyond which a minishard index is surely damaged."""
_MAX_ASKED = 10_000_000
"""Objects beyond which nobody would wait for each to be asked for."""
_MAX_NAMED = 5
"""Damaged objects that are named; the others are counted."""

Progress = Callable[[int, int], None]
"""Told how many chunks were counted so far, and how many there are."""


@dataclass(slots=True)
class Census:
    """What was found of a copy of a scale."""

    expected: int
    """Chunks of its grid."""
    stored: int = 0
    first_absent: str | None = None
    """As chunks are called; None: none is absent, or there are too many to keep track."""
    foreign: int = 0
    """Chunks that lie there and belong to no grid of the scale."""
    first_foreign: str | None = None
    damaged: int = 0
    damage: list[str] = field(default_factory=list)
    """What is wrong with the first of them."""

    def note_foreign(self, name: str) -> None:
        """Count a chunk that is none of the scale's."""
        self.foreign += 1
        self.first_foreign = self.first_foreign or name

    def note_damage(self, what: str) -> None:
        """Count an object that cannot be right."""
        self.damaged += 1
        if len(self.damage) < _MAX_NAMED:
            self.damage.append(what)


async def take_census(
    store: ObjectStore, lister: Lister | None, plan: ScalePlan, progress: Progress
) -> list[Census]:
    """What is stored of each copy of a scale, in the order of `plan.grids`.

    Memory is bounded: a bit a chunk, up to 32 MiB a copy, and a few pages of listings and indexes.

    Args:
        store: Reads indexes.
        lister: Lists; None: objects are asked for one by one, as where listing is refused.
        plan: Which scale.
        progress: Told as it goes on.

    Raises:
        StoreError: The bucket failed, or there are too many objects to ask for each.
    """
    if lister is not None:
        try:
            return await _Count(store, plan, progress).by_listing(lister)
        except StoreRefusedError:
            pass
    return await _Count(store, plan, progress).by_asking()


class _Count:
    """One count of one scale."""

    def __init__(self, store: ObjectStore, plan: ScalePlan, progress: Progress) -> None:
        self._store = store
        self._plan = plan
        self._progress = progress
        self._rolls = [Roll(grid) for grid in plan.grids]
        self._censuses = [Census(grid.chunk_count) for grid in plan.grids]

    async def by_listing(self, lister: Lister) -> list[Census]:
        spec = self._plan.scale.sharding
        async for page in lister.list_below(self._plan.directory):
            if spec is None:
                self._count_names(page)
            else:
                await self._count_shards(spec, [entry.name for entry in page])
            self._tell()
        self._tell()
        return self._results()

    async def by_asking(self) -> list[Census]:
        spec = self._plan.scale.sharding
        names = _chunk_names(self._plan.grids) if spec is None else _shard_names(spec, self._plan.grids[0])
        total = sum(grid.chunk_count for grid in self._plan.grids)
        if spec is not None:
            total = _shard_count(spec, self._plan.grids[0])
        if total > _MAX_ASKED:
            raise StoreError(
                f"{self._name('')} cannot be listed, and {total} objects are too many to ask for"
            )
        done = 0
        while batch := list(itertools.islice(names, _AT_A_TIME)):
            if spec is None:
                self._count_names(
                    entry for entry in await gather_or_cancel(map(self._ask, batch)) if entry is not None
                )
            else:
                await self._count_shards(spec, batch)
            done += len(batch)
            self._progress(done, total)
        return self._results()

    def _tell(self) -> None:
        self._progress(self._rolls[0].seen, self._rolls[0].grid.chunk_count)

    def _results(self) -> list[Census]:
        for roll, census in zip(self._rolls, self._censuses, strict=True):
            census.stored = roll.seen
            absent = roll.first_unseen()
            census.first_absent = None if absent is None else chunk_name(roll.grid, absent)
        return self._censuses

    def _count_names(self, page: Iterable[Listed]) -> None:
        """Of copies that lie in one directory, a chunk clipped by the end may be of several."""
        for name, size in page:
            owners = [
                census
                for roll, census in zip(self._rolls, self._censuses, strict=True)
                if roll.mark_name(name)
            ]
            if not owners and is_chunk_name(name):
                self._censuses[0].note_foreign(name)
            for census in owners[:1]:
                if size == 0:
                    census.note_damage(f"{self._name(name)}: chunk is empty (0 bytes)")

    async def _ask(self, name: str) -> Listed | None:
        """Whether an object is there, by its first byte."""
        try:
            blob = await self._store.get_range(self._key(name), ByteRange(0, 1))
        except FormatError:
            return Listed(name, 0)
        return None if blob is None else Listed(name, len(blob.data))

    async def _count_shards(self, spec: ShardingSpec, names: Iterable[str]) -> None:
        for name in names:
            match = _SHARD.fullmatch(name)
            if match is None or int(match[1], 16) >> spec.shard_bits:
                continue
            shard = int(match[1], 16)
            if spec.shard_name(shard) != name:
                continue
            try:
                await self._count_shard(spec, shard)
            except FormatError as error:
                self._censuses[0].note_damage(f"{error}")

    async def _count_shard(self, spec: ShardingSpec, shard: int) -> None:
        key = self._key(spec.shard_name(shard))
        last = 0
        async for etag, numbered in self._minishards(spec, key):
            ends = await gather_or_cancel(
                self._count_minishard(spec, key, ShardLocation(shard, number), where, etag)
                for number, where in numbered
            )
            last = max(last, *ends)
        if last:  # a shard that was cut off does not hold what its indexes name
            await self._store.get_range(key, ByteRange(last - 1, last))

    async def _minishards(
        self, spec: ShardingSpec, key: str
    ) -> AsyncIterator[tuple[str | None, list[tuple[int, ByteRange]]]]:
        """The minishards of a shard that are not empty, some at a time."""
        for start in range(0, spec.shard_index_size, _PAGE_ENTRIES * ENTRY_SIZE):
            stop = min(start + _PAGE_ENTRIES * ENTRY_SIZE, spec.shard_index_size)
            page = await self._store.get_range(key, ByteRange(start, stop))
            if page is None:
                return
            entries = (page.data[at : at + ENTRY_SIZE] for at in range(0, len(page.data), ENTRY_SIZE))
            try:
                found = [
                    (number, where)
                    for number, entry in enumerate(entries, start // ENTRY_SIZE)
                    if (where := decode_shard_index_entry(entry, spec)) is not None
                ]
            except FormatError as error:
                raise FormatError(f"{name_object(self._store.url, key)}: {error}") from error
            for at in range(0, len(found), _AT_A_TIME):
                yield page.etag, found[at : at + _AT_A_TIME]

    async def _count_minishard(
        self, spec: ShardingSpec, key: str, place: ShardLocation, where: ByteRange, etag: str | None
    ) -> int:
        """Count the chunks of a minishard; where the last of them ends."""
        name = f"{name_object(self._store.url, key)} minishard {place.minishard}"
        roll, census = self._rolls[0], self._censuses[0]
        most = min(_MAX_MINISHARD_INDEX, 24 * roll.grid.chunk_count + 1024)
        if where.size > most:
            raise FormatError(f"{name}: shard index gives the minishard index {where.size} bytes")
        blob = await self._store.get_range(key, where, etag=etag)
        if blob is None:
            raise StoreError(f"{name}: the shard is gone since its index was read")
        try:
            data = blob.data
            if spec.minishard_index_encoding is DataEncoding.GZIP:
                data = decode_content(data, "gzip", max_size=most)
            index = decode_minishard_index(data, spec)
        except FormatError as error:
            raise FormatError(f"{name}: {error}") from error
        at_home = np.array([spec.locate(int(chunk_id)) == place for chunk_id in index.chunk_ids], bool)
        known = np.zeros(len(at_home), bool)
        known[at_home] = roll.mark_ids(index.chunk_ids[at_home])
        for chunk_id in index.chunk_ids[~known]:
            census.note_foreign(f"{name} chunk {chunk_id}")
        ends = [int(start) + int(size) for start, size in zip(index.starts, index.sizes, strict=True)]
        end = max(ends, default=0)
        if end >= 2**63:
            raise FormatError(f"{name}: minishard index points beyond any file")
        return end

    def _key(self, name: str) -> str:
        return f"{self._plan.directory}/{name}".strip("/")

    def _name(self, name: str) -> str:
        return name_object(self._store.url, self._key(name))


def _chunk_names(grids: Iterable[Grid]) -> Iterator[str]:
    return (chunk_name(grid, cell) for grid in grids for cell in grid.chunks_touching(grid.box))


def _shard_names(spec: ShardingSpec, grid: Grid) -> Iterator[str]:
    return map(spec.shard_name, range(_shard_count(spec, grid)))


def _shard_count(spec: ShardingSpec, grid: Grid) -> int:
    """How many shards a volume can have: of unhashed ids those that the largest reaches."""
    if spec.hash != "identity":
        return 1 << spec.shard_bits
    used = ChunkIds(grid).num_bits - spec.preshift_bits - spec.minishard_bits
    return 1 << max(0, min(spec.shard_bits, used))
