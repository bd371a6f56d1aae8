"""Check the label index of a segmentation: whether it belongs to the volume, and a sample of what it says."""

from contextlib import aclosing
from typing import Final

import numpy as np

from dvidpc.errors import LabelIndexError
from dvidpc.index.label_index_reader import LabelIndexReader, find_mismatch, load_index_info
from dvidpc.index.layout import BLOCK_SIZE
from dvidpc.sources.plan import Metadata, VolumePlan
from dvidpc.storage.base import ObjectStore
from dvidpc.storage.object_checks import name_object
from dvidpc.types import BlockCoord, Point
from dvidpc.volume.chunk_cache import CachedChunks
from dvidpc.volume.label_masks import masks_of
from dvidpc.volume.resources import Resources

_LABELS: Final = 10
"""Labels that are read."""
_BLOCKS: Final = 3
"""Blocks of each that are counted."""
_BLOCK: Final = Point(BLOCK_SIZE, BLOCK_SIZE, BLOCK_SIZE)


async def check_label_index(
    store: ObjectStore,
    directory: str,
    metadata: Metadata,
    plan: VolumePlan,
    volume: ObjectStore,
    resources: Resources,
) -> str:
    """Return one line about a label index that is in order.

    Args:
        store: Where the index lies; it is closed.
        directory: Its key.
        metadata: The metadata of the volume.
        plan: Its plan.
        volume: Reads it.
        resources: Caches and threads.

    Raises:
        DvidpcError: The index cannot be read, is damaged, or does not belong to the volume.
    """
    try:
        info = await load_index_info(store, directory)
        mismatch = find_mismatch(info, metadata.data, plan.scales[0].box)
        if mismatch is not None:
            raise LabelIndexError(f"{name_object(store.url, directory)} does not fit the volume: {mismatch}")
        reader = LabelIndexReader(store, directory, info, resources.indexes, resources.pool)
        copies = [
            CachedChunks(source, resources.payloads, resources.pool)
            for source in plan.scales[0].stored.open(volume, resources.tools)
        ]
        labels = await _choose_labels(reader)
        blocks = 0
        for label in labels:
            blocks += await _count_blocks(reader, copies, label)
    finally:
        await store.close()
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
