"""The order in which chunks are read: as shards hold them, so that neighbours are read together."""

from collections.abc import Iterator

from dvidpc.formats.grid import CellRange
from dvidpc.types import ChunkCoord


def walk(cells: CellRange) -> Iterator[ChunkCoord]:
    """Yield every cell of a range once, in the order of their Morton codes, without a list of them.

    The order is that of chunk ids in precomputed shards, whose compressed codes leave out bits that are 0 for
    every cell. A cube of 2^n cells that starts at multiples of its side, as shards of arrays mostly are, is
    walked without a break.  (precomputed volume.md#compressed-morton-code)
    """
    side = 1 << (max(*cells.stop, 1) - 1).bit_length()
    waiting = [(0, 0, 0, side)]
    (x0, y0, z0), (x1, y1, z1) = cells
    while waiting:
        x, y, z, side = waiting.pop()
        if x >= x1 or y >= y1 or z >= z1 or x + side <= x0 or y + side <= y0 or z + side <= z0:
            continue
        if side == 1:
            yield ChunkCoord(x, y, z)
            continue
        half = side // 2
        waiting += [
            (at_x, at_y, at_z, half)
            for at_z in (z + half, z)
            for at_y in (y + half, y)
            for at_x in (x + half, x)
        ]


def spread(cells: CellRange, count: int) -> list[ChunkCoord]:
    """Return at most *count* cells that are evenly spread over a range, each once; all if it has no more."""
    total = cells.total
    along_x, along_y, _ = cells.size
    found = []
    for number in range(min(count, total)):
        rest, x = divmod((2 * number + 1) * total // (2 * min(count, total)), along_x)
        z, y = divmod(rest, along_y)
        found.append(ChunkCoord(cells.start.x + x, cells.start.y + y, cells.start.z + z))
    return found
