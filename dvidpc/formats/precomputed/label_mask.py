"""Finds the voxels of a label in a compressed_segmentation chunk; decodes only sub-blocks that list it."""

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.precomputed.label_chunk import LabelChunk, Offsets


def mask_of(chunk: LabelChunk, label: int) -> NDArray[np.bool_]:
    """Return which voxels of a chunk `[z, y, x]` have *label*."""
    mask = np.zeros((len(chunk.tables), chunk.sub_block_voxels), np.bool_)
    for numbers, index in _entries(chunk, label):
        for width, some in chunk.by_width(numbers):
            wanted = index[np.searchsorted(numbers, some)]
            mask[some] |= True if width == 0 else chunk.indexes(some, width) == wanted[:, None]
    (bx, by, bz), (gx, gy, gz) = chunk.sub_block, chunk.grid
    whole = (
        mask.reshape(gz, gy, gx, bz, by, bx).transpose(0, 3, 1, 4, 2, 5).reshape(gz * bz, gy * by, gx * bx)
    )
    return whole[: chunk.size.z, : chunk.size.y, : chunk.size.x]


def _entries(chunk: LabelChunk, label: int) -> list[tuple[Offsets, Offsets]]:
    """Return sub-blocks whose tables may list *label*, ascending, with the position in each table.

    A table has no stored length. What follows it may look like another entry, which no voxel refers to.
    """
    found = []
    for parity in range(chunk.step):
        of_parity = np.flatnonzero(chunk.tables % chunk.step == parity)
        hits = chunk.positions_of(label, parity)
        tables = chunk.tables[of_parity]
        first = hits.searchsorted(tables)
        count = hits.searchsorted(tables + (chunk.step << chunk.widths[of_parity])) - first
        for k in range(int(count.max(initial=0))):
            some = np.flatnonzero(count > k)
            index = (hits[first[some] + k] - tables[some]) // chunk.step
            found.append((of_parity[some], index))
    return found
