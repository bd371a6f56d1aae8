"""Check the label index of a segmentation: whether it belongs to the volume, and a sample of what it says."""

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import numpy as np

from dvidpc.check.fixes import Fixes
from dvidpc.check.report import Findings
from dvidpc.config import LimitsConfig, StoreConfig
from dvidpc.errors import DvidpcError, FormatError, LabelIndexError
from dvidpc.index.label_index_reader import LabelIndexReader, find_mismatch, load_index_info
from dvidpc.index.layout import BLOCK_SIZE
from dvidpc.sources.buckets import access_of_index, upstream_limits_of
from dvidpc.sources.plan import Metadata, VolumePlan
from dvidpc.sources.scale_plan import LabelType
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.storage.opening import open_store
from dvidpc.storage.shared import Shared
from dvidpc.types import BlockCoord, Finding, Point
from dvidpc.volume.chunk_cache import CachedChunks
from dvidpc.volume.label_masks import masks_of
from dvidpc.volume.resources import Resources

_LABELS: Final = 10
"""Labels that are read."""
_BLOCKS: Final = 3
"""Blocks of each that are counted."""
_BLOCK: Final = Point(BLOCK_SIZE, BLOCK_SIZE, BLOCK_SIZE)


@dataclass(frozen=True, slots=True)
class IndexCheck:
    """The check of the label index of one store."""

    store: StoreConfig
    limits: LimitsConfig
    environ: Mapping[str, str]
    shared: Shared
    resources: Resources

    async def run(self, volume: ObjectStore, metadata: Metadata, plan: VolumePlan, fixes: Fixes) -> Findings:
        """Read the index and compare a sample of it with the volume; nothing if the volume has none."""
        found = Findings()
        if self.store.label_index is None or LabelType.LABELMAP not in plan.label_types:
            return found
        access, limits = access_of_index(self.store), upstream_limits_of(self.limits)
        try:
            index = await open_store(access, limits, environ=self.environ, shared=self.shared)
            try:
                line = await self._compare(index, self.store.label_index.directory, volume, metadata, plan)
            finally:
                await index.close()
        except DvidpcError as error:
            is_at_fault = isinstance(error, FormatError | LabelIndexError)
            fix = fixes.of_label_index() if is_at_fault else fixes.of_error(error)
            found.problems.append(Finding(f"label index: {error}", fix))
        else:
            found.lines.append(line)
        return found

    async def _compare(
        self, store: ObjectStore, directory: str, volume: ObjectStore, metadata: Metadata, plan: VolumePlan
    ) -> str:
        """Return a line about an index that is in order.

        Raises:
            DvidpcError: The index cannot be read, is damaged, or does not belong to the volume.
        """
        info = await load_index_info(store, directory)
        finest, resources = plan.scales[0], self.resources
        mismatch = find_mismatch(info, metadata.data, finest.box)
        if mismatch is not None:
            raise LabelIndexError(f"{name_object(store.url, directory)} does not fit the volume: {mismatch}")
        reader = LabelIndexReader(store, directory, info, resources.indexes, resources.pool)
        copies = [
            CachedChunks(source, resources.payloads, resources.pool)
            for source in finest.stored.open(volume, resources.tools)
        ]
        labels = await _choose_labels(reader)
        blocks = 0
        for label in labels:
            blocks += await _count_blocks(reader, copies, label)
        return (
            f"label index: {info.labels} labels, {info.voxels} voxels; {len(labels)} labels and {blocks} of "
            "their blocks were compared with the volume"
        )


async def _choose_labels(reader: LabelIndexReader) -> list[int]:
    """Return the largest labels of the first page of the table, and the greatest label."""
    async with aclosing(reader.rows_from(0, 2**64 - 1)) as pages:
        async for rows in pages:
            largest = rows[np.argsort(rows["voxels"])[::-1][: _LABELS - 1]]["label"].tolist()
            return sorted({*largest, reader.info.max_label})
    return []


async def _count_blocks(reader: LabelIndexReader, copies: list[CachedChunks], label: int) -> int:
    """Compare some blocks of a label with the volume; return how many.

    Raises:
        LabelIndexError: One has another number of voxels.
    """
    row = await reader.find(label)
    if row is None:
        raise LabelIndexError(f"the table does not have label {label}")
    found = await reader.blocks_of(row)
    some = np.unique(np.linspace(0, len(found.voxels) - 1, _BLOCKS).astype(np.intp))
    blocks = [BlockCoord(*block) for block in found.xyz[some].tolist()]
    expected = found.voxels[some].tolist()
    counted = [one.voxels async for one in masks_of(copies, _BLOCK, label, blocks)]
    for block, voxels, count in zip(blocks, expected, counted, strict=True):
        if voxels != count:
            raise LabelIndexError(
                f"label {label} has {count} voxels in block {tuple(block)}, and the index says {voxels}"
            )
    return len(blocks)
