"""Splits voxels into sub-blocks of 8^3 with a table of labels each, which DVID's label encodings share."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.data_types import Voxels
from dvidpc.types import Point

SIDE: Final = 8
"""Voxels along an edge of a sub-block."""
NUM_VOXELS: Final = SIDE**3
"""Voxels of a sub-block."""

_MAX_DENSE = 2**22
"""Most (sub-block, label) pairs that a table of all of them may have; it takes 8 bytes each."""


class SubBlocks(NamedTuple):
    """Voxels as sub-blocks, numbered x fastest."""

    grid: Point
    """Sub-blocks along x, y and z."""
    counts: NDArray[np.intp]
    """How many labels each sub-block has, 1 to 512."""
    labels: NDArray[np.uint64]
    """The tables of all sub-blocks, one after the other; labels in the order in which they first appear."""
    indexes: NDArray[np.uint16]
    """The index of each voxel in the table of its sub-block, `[sub-block, voxel]`."""


def split_sub_blocks(voxels_zyx: Voxels) -> SubBlocks:
    """Return *voxels_zyx*, unsigned integers, as sub-blocks; sizes are padded with 0 to multiples of 8."""
    z, y, x = (-(-n // SIDE) for n in voxels_zyx.shape)
    flat = _order_by_sub_block(voxels_zyx, (z, y, x))
    starts = _run_starts(flat)
    labels, which = np.unique(flat[starts], return_inverse=True)
    pairs = starts // NUM_VOXELS * len(labels) + which
    first, table_entry = _rank_by_first(pairs, len(labels) * z * y * x)
    counts = np.bincount(starts[first] // NUM_VOXELS, minlength=z * y * x)
    tables = np.cumsum(counts) - counts
    indexes = (table_entry - tables[starts // NUM_VOXELS]).astype(np.uint16)
    spread = np.repeat(indexes, np.diff(starts, append=len(flat)))
    return SubBlocks(Point(x, y, z), counts, labels[which[first]], spread.reshape(-1, NUM_VOXELS))


def _order_by_sub_block(voxels_zyx: Voxels, grid_zyx: tuple[int, int, int]) -> NDArray[np.uint64]:
    """Return the voxels sub-block by sub-block."""
    missing = [(0, SIDE * g - n) for g, n in zip(grid_zyx, voxels_zyx.shape, strict=True)]
    if any(after for _, after in missing):
        voxels_zyx = np.pad(voxels_zyx, missing)
    z, y, x = grid_zyx
    split = voxels_zyx.reshape(z, SIDE, y, SIDE, x, SIDE).transpose(0, 2, 4, 1, 3, 5)
    return split.astype("<u8", order="C").reshape(-1)


def _run_starts(flat: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Return where runs of one label start; no run spans two sub-blocks."""
    is_start = np.empty(len(flat), np.bool_)
    np.not_equal(flat[1:], flat[:-1], out=is_start[1:])
    is_start[::NUM_VOXELS] = True
    return np.flatnonzero(is_start)


def _rank_by_first(values: NDArray[np.intp], end: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return where each distinct value first occurs, ascending, and for each value its place in that list.

    Args:
        values: Numbers from 0.
        end: An exclusive limit of *values*.
    """
    if end > _MAX_DENSE:
        values, end = np.unique(values, return_inverse=True)[1], len(values)
    first_of = np.zeros(end, np.intp)
    backwards = np.arange(len(values))[::-1]
    first_of[values[::-1]] = backwards  # of repeated positions the last one stays: the first occurrence
    is_first = first_of[values] == backwards[::-1]
    first = np.flatnonzero(is_first)
    rank_of = np.zeros(end, np.intp)
    rank_of[values[first]] = np.arange(len(first))
    return first, rank_of[values]
