"""`dvidpc index check`: compare an index with its volume: versions, totals, random blocks and labels."""

import os
import random
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from dvidpc.cache.loading_cache import LoadingCache
from dvidpc.config import Config, StoreConfig
from dvidpc.errors import ConfigError, LabelIndexError
from dvidpc.formats.grid import block_box
from dvidpc.index.build.block_counts import BlockCounts, add_equal
from dvidpc.index.build.job_making import make_job, opened_volume
from dvidpc.index.build.source_versions import MAX_SOURCES_SIZE, SOURCES_KEY, find_changes
from dvidpc.index.build.tile_reading import count_box, opened_copies
from dvidpc.index.label_index_reader import LabelIndexReader, find_mismatch, load_index_info
from dvidpc.index.layout import BLOCK_SIZE
from dvidpc.sources.base import ChunkSource
from dvidpc.sources.buckets import access_of, access_of_index, upstream_limits_of
from dvidpc.storage.base import BucketAccess, ObjectStore
from dvidpc.storage.opening import open_store
from dvidpc.types import BlockCoord, Point

_BLOCK: Final = Point(BLOCK_SIZE, BLOCK_SIZE, BLOCK_SIZE)
_LABELS_OF_A_BLOCK: Final = 4
"""Labels of each sampled block that are looked up in the index."""
_CACHE: Final = 64 * 2**20
"""Bytes that are kept of the index."""
_MOST_NAMED: Final = 20
"""Differences that are named."""


@dataclass
class IndexReport:
    """What a check found."""

    blocks: int = 0
    """Blocks of the volume that were compared."""
    labels: int = 0
    """Labels whose row was compared with their blocks."""
    stale: list[str] = field(default_factory=list)
    """Why the index does not belong to the volume as it is now."""
    wrong: list[str] = field(default_factory=list)
    """What the index says wrongly."""
    unknown: list[str] = field(default_factory=list)
    """What could not be compared."""

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.stale and not self.wrong


async def check_index(
    config: Config, store: StoreConfig, samples: int, random_numbers: random.Random
) -> IndexReport:
    """Compare the index of a volume with the volume as it is now.

    Args:
        config: The configuration.
        store: The volume.
        samples: How many blocks, and how many labels, to compare.
        random_numbers: Chooses them.

    Raises:
        ConfigError: The store has no index.
        FormatError: The index is missing or malformed, or the volume is damaged.
        StoreError: A bucket failed.
    """
    report = IndexReport()
    async with _opened_index(config, store) as (index, directory):
        info = await load_index_info(index, directory)
        unused = BucketAccess(access_of(store).ref)
        job, _ = await make_job(config, store, unused, unused)
        mismatch = find_mismatch(info, job.metadata.data, job.scale.box)
        if mismatch is not None:
            report.stale.append(mismatch)
            return report
        await _compare_sources(config, store, index, directory, report)
        with ThreadPoolExecutor(1) as pool:
            cache = LoadingCache(_CACHE, absence_ttl_s=0, clock=time.monotonic)
            reader = LabelIndexReader(index, directory, info, cache, pool)
            async with opened_copies(job) as copies:
                try:
                    await _Comparison(reader, copies, random_numbers, report).run(samples)
                except LabelIndexError as error:
                    report.wrong.append(str(error))
    return report


@asynccontextmanager
async def _opened_index(config: Config, store: StoreConfig) -> AsyncIterator[tuple[ObjectStore, str]]:
    if store.label_index is None:
        raise ConfigError(
            f"[store.{store.alias}] has no label_index; write the location of the index to check"
        )
    limits = upstream_limits_of(config.limits)
    index = await open_store(access_of_index(store), limits, environ=os.environ)
    try:
        yield index, store.label_index.directory
    finally:
        await index.close()


async def _compare_sources(
    config: Config, store: StoreConfig, index: ObjectStore, directory: str, report: IndexReport
) -> None:
    """Find out which shards of the volume were replaced since the index was built."""
    key = f"{directory}/{SOURCES_KEY}" if directory else SOURCES_KEY
    blob = await index.get(key, max_size=MAX_SOURCES_SIZE)
    if blob is None:
        report.unknown.append(f"whether shards were replaced since: the index has no {SOURCES_KEY}")
        return
    async with opened_volume(config, store) as (volume, _):
        changed = await find_changes(volume, blob.data)
    report.stale += [f"{name} was replaced or removed after the index was built" for name in changed]


@dataclass
class _Comparison:
    """The comparison of samples."""

    reader: LabelIndexReader
    copies: Sequence[ChunkSource]
    random_numbers: random.Random
    report: IndexReport

    async def run(self, samples: int) -> None:
        """Compare totals, then random blocks, then random labels."""
        await self._add_up()
        for _ in range(samples):
            if len(self.report.wrong) >= _MOST_NAMED:
                return
            await self._compare_block(self._draw_block())
        for _ in range(samples if self.reader.info.labels else 0):
            if len(self.report.wrong) >= _MOST_NAMED:
                return
            await self._compare_label()

    async def _add_up(self) -> None:
        """Compare the sums of the table with the `info`."""
        info = self.reader.info
        found = np.zeros(3, np.uint64)
        async for rows in self.reader.rows_from(0, 2**64 - 1):
            sums = rows["blocks"].sum(dtype=np.uint64), rows["voxels"].sum(dtype=np.uint64)
            found += np.array([len(rows), *sums], np.uint64)
        if found.tolist() != [info.labels, info.blocks, info.voxels]:
            self.report.wrong.append("labels, blocks or voxels of the info are not the sums of the table")

    def _draw_block(self) -> BlockCoord:
        return BlockCoord(
            *(
                self.random_numbers.randint(start // BLOCK_SIZE, (stop - 1) // BLOCK_SIZE)
                for start, stop in zip(*self.copies[0].grid.box, strict=True)
            )
        )

    async def _compare_block(self, block: BlockCoord) -> None:
        """Compare what some labels of a block have there with what the index says."""
        self.report.blocks += 1
        counts = await self._count(block)
        chosen = self.random_numbers.sample(range(counts.rows), min(counts.rows, _LABELS_OF_A_BLOCK))
        for at in chosen:
            await self._compare(int(counts.labels[at]), block, int(counts.voxels[at]))

    async def _compare_label(self) -> None:
        """Compare what a random label has in one of its blocks with the volume."""
        self.report.labels += 1
        info = self.reader.info
        part = self.random_numbers.choices(info.parts, [part.rows for part in info.parts])[0]
        label = await self._draw_label(self.random_numbers.randint(part.first, part.last))
        row = await self.reader.find(label)
        if row is None:
            self.report.wrong.append(f"the table lists label {label}, but it is not found there")
            return
        blocks = await self.reader.blocks_of(row)
        at = self.random_numbers.randrange(len(blocks.voxels))
        block = BlockCoord(*blocks.xyz[at].tolist())
        counts = await self._count(block)
        voxels = int(counts.voxels[counts.labels == np.uint64(label)].sum())
        if voxels != int(blocks.voxels[at]):
            self._note(label, block, voxels, int(blocks.voxels[at]))

    async def _draw_label(self, least: int) -> int:
        """Return the first label from *least*."""
        async for rows in self.reader.rows_from(least, 2**64 - 1):
            if len(rows):
                return int(rows["label"][0])
        return self.reader.info.max_label

    async def _compare(self, label: int, block: BlockCoord, voxels: int) -> None:
        row = await self.reader.find(label)
        said = 0
        if row is not None:
            blocks = await self.reader.blocks_of(row)
            said = int(blocks.voxels[(blocks.xyz == np.array(block)).all(axis=1)].sum())
        if said != voxels:
            self._note(label, block, voxels, said)

    def _note(self, label: int, block: BlockCoord, voxels: int, said: int) -> None:
        self.report.wrong.append(
            f"label {label} has {voxels} voxels in block {tuple(block)}, and the index says {said}"
        )

    async def _count(self, block: BlockCoord) -> BlockCounts:
        """Count the labels of a block of the volume; they ascend."""
        found = await count_box(self.copies, block_box(block, _BLOCK))
        return add_equal(found.take(np.argsort(found.labels)))
