"""Cuts a large box into slabs, in the order in which the voxels of a box are sent."""

import math
from collections.abc import Iterator

from dvidpc.formats.grid import Box, Grid
from dvidpc.types import Point


def slabs_of(box: Box, grid: Grid, max_voxels: int) -> Iterator[Box]:
    """Yield boxes of at most *max_voxels* that make up *box*; concatenated, they list its voxels, x fastest.

    Slabs end on chunk borders where possible, so that few chunks are split between two slabs. If one plane
    is too large, slabs are strips of a plane; if one row is too large, parts of a row.
    """
    return _cut(box, grid, max_voxels, axis=2)


def cuts_chunks(slab: Box, box: Box, grid: Grid) -> bool:
    """Return whether some chunk is split between *slab* and other slabs of *box*."""
    return any(
        place != end and (place - offset) % chunk
        for edges, ends in zip(slab, box, strict=True)
        for place, end, offset, chunk in zip(edges, ends, grid.offset, grid.chunk_size, strict=True)
    )


def _cut(box: Box, grid: Grid, max_voxels: int, axis: int) -> Iterator[Box]:
    layer = math.prod(box.size[:axis])
    if axis and layer > max_voxels:
        for place in range(box.start[axis], box.stop[axis]):
            yield from _cut(_between(box, axis, place, place + 1), grid, max_voxels, axis - 1)
        return
    thickness = max(1, max_voxels // layer)
    offset, chunk = grid.offset[axis], grid.chunk_size[axis]
    start = box.start[axis]
    while start < box.stop[axis]:
        most = min(start + thickness, box.stop[axis])
        border = offset + (most - offset) // chunk * chunk
        stop = border if start < border and most < box.stop[axis] else most
        yield _between(box, axis, start, stop)
        start = stop


def _between(box: Box, axis: int, start: int, stop: int) -> Box:
    first, last = [*box.start], [*box.stop]
    first[axis], last[axis] = start, stop
    return Box(Point(*first), Point(*last))
