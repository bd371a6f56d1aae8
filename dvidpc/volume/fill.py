"""What the missing chunks of a scale stand for, where that is not 0: the fill value of zarr.

Such chunks are left out by whoever writes an array, so they count as present. In a precomputed volume, a
missing chunk is nothing at all.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from dvidpc.formats.assembly import BlockLayout, Piece, pieces_of
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.grid import Box
from dvidpc.formats.payloads import Payload
from dvidpc.sources.base import ChunkSource
from dvidpc.types import ChunkCoord, Point
from dvidpc.volume.block_making import Found, make_from_pieces


class Fill:
    """The voxels of chunks that are not stored, and the payloads of blocks without any stored chunk.

    Args:
        value: What each voxel is.
        source: Whose chunks they are.
        layout: What a block holds for each voxel.
    """

    def __init__(self, value: float, source: ChunkSource, layout: BlockLayout) -> None:
        self._source = source
        self._layout = layout
        self._value = np.array(value, source.shape_of(ChunkCoord(0, 0, 0)).dtype)
        self._payloads: dict[tuple[str, Box], bytes] = {}

    def chunk(self, cell: ChunkCoord) -> Voxels:
        """Return what a missing chunk stands for, `[c, z, y, x]`; it takes no memory."""
        return np.broadcast_to(self._value, self._source.shape_of(cell).czyx)

    def complete(self, found: Sequence[Found], pieces: Iterable[Piece]) -> list[Found]:
        """Return the pieces of a block: those that were *found*, and fill for the others."""
        known = {one.piece.cell: one for one in found}
        return [known.get(piece.cell) or Found(piece, self.chunk(piece.cell)) for piece in pieces]

    def payload(self, block: Box, payload: Payload) -> bytes:
        """Return a block that consists of fill; takes milliseconds for the first of its kind.

        A block that the volume's end cuts is of another kind than a whole one.
        """
        grid = self._source.grid
        kind = payload.name, _relative(block.intersection(grid.box), block.start)
        if kind not in self._payloads:
            found = self.complete((), pieces_of(grid, block))
            self._payloads[kind] = make_from_pieces(block, found, self._layout, payload)
        return self._payloads[kind]


def fill_of(source: ChunkSource, layout: BlockLayout) -> Fill | None:
    """Return the fill of a scale; None if its missing chunks are 0, or nothing at all.

    Args:
        source: Reads the scale.
        layout: What a block holds for each voxel.
    """
    value = source.fill
    return None if value is None or value == 0 else Fill(value, source, layout)


def _relative(box: Box, origin: Point) -> Box:
    start, stop = (Point(*(at - o for at, o in zip(corner, origin, strict=True))) for corner in box)
    return Box(start, stop)
