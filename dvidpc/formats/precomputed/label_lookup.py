"""Reads the labels of some voxels from a compressed_segmentation chunk without decoding it."""

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.precomputed.label_chunk import LabelChunk, Labels, Offsets
from dvidpc.types import Point

_WORD_BITS = 32


def label_at(chunk: LabelChunk, voxel: Point) -> int:
    """Return the label of one voxel; takes microseconds.

    Args:
        chunk: The chunk.
        voxel: The position in the chunk.

    Raises:
        ValueError: *voxel* is outside the chunk.
    """
    (x, y, z), (nx, ny, nz), (bx, by, bz) = voxel, chunk.size, chunk.sub_block
    if not (0 <= x < nx and 0 <= y < ny and 0 <= z < nz):
        raise ValueError(f"voxel {tuple(voxel)} is outside the chunk, which has {tuple(chunk.size)} voxels")
    number = x // bx + chunk.grid.x * (y // by + chunk.grid.y * (z // bz))
    at = int(chunk.tables[number])
    if width := int(chunk.widths[number]):
        bit = width * (x % bx + bx * (y % by + by * (z % bz)))
        word = int(chunk.words[int(chunk.values[number]) + bit // _WORD_BITS])
        at += (word >> bit % _WORD_BITS & (1 << width) - 1) * chunk.step
    label = int(chunk.words[at])
    return label if chunk.step == 1 else label | int(chunk.words[at + 1]) << _WORD_BITS


def labels_of(chunk: LabelChunk, voxels: NDArray[np.integer]) -> Labels:
    """Return the labels of many voxels, in the type in which they are stored.

    Args:
        chunk: The chunk.
        voxels: Positions in the chunk, one row x, y, z per voxel.

    Raises:
        ValueError: A voxel is outside the chunk.
    """
    voxels = voxels.astype(np.intp, copy=False)
    if not ((voxels >= 0) & (voxels < chunk.size)).all():
        raise ValueError(f"a voxel is outside the chunk, which has {tuple(chunk.size)} voxels")
    sub_block = np.array(chunk.sub_block, np.intp)
    in_grid, in_block = voxels // sub_block, voxels % sub_block
    numbers: Offsets = in_grid @ _strides(chunk.grid)
    widths = chunk.widths[numbers]
    bits: Offsets = widths * (in_block @ _strides(chunk.sub_block))
    # Where the width is 0, "values" is meaningless; word 0 exists and adds nothing.
    words = chunk.words[np.where(widths > 0, chunk.values[numbers] + bits // _WORD_BITS, 0)].astype(np.int64)
    indexes = words >> bits % _WORD_BITS & (1 << widths) - 1
    return chunk.labels_at(chunk.tables[numbers] + indexes * chunk.step)


def _strides(extent: Point) -> NDArray[np.intp]:
    """Return by how much each axis advances a number that counts x fastest."""
    return np.array([1, extent.x, extent.x * extent.y], np.intp)
