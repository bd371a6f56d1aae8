"""What the missing chunks of a scale stand for, where that is not 0: the fill value of zarr.

Such chunks are left out by whoever writes an array, so they count as present. In a precomputed volume, a
missing chunk is nothing at all.
"""

import numpy as np

from dvidpc.formats.assembly import BlockLayout, Part
from dvidpc.formats.codec import ChunkShape
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.grid import Box
from dvidpc.formats.payloads import Payload
from dvidpc.sources.base import ChunkSource
from dvidpc.types import Point
from dvidpc.volume.block_making import make_from_parts


class Fill:
    """The voxels of chunks that are not stored, and the payloads of blocks without any stored chunk.

    Args:
        value: What each voxel is.
        shape: What the scale's chunks hold, of the channels that are shown.
        volume: All voxels of the scale; outside of it, voxels are 0.
        layout: What a block holds for each voxel.
    """

    def __init__(self, value: float, shape: ChunkShape, volume: Box, layout: BlockLayout) -> None:
        self._value = np.array(value, shape.dtype)
        self._shape = shape
        self._volume = volume
        self._layout = layout._replace(channel=None if layout.channel is None else 0)
        self._payloads: dict[tuple[str, Box], bytes] = {}

    def voxels(self, size: Point) -> Voxels:
        """Return a box of fill, `[c, z, y, x]`; it takes no memory."""
        return np.broadcast_to(self._value, self._shape._replace(size=size).czyx)

    def part(self, block: Box) -> Part:
        """Return the fill of a block as far as the volume reaches."""
        inside = block.intersection(self._volume)
        return Part(inside, self.voxels(inside.size))

    def payload(self, block: Box, payload: Payload) -> bytes:
        """Return a block that consists of fill; takes milliseconds for the first of its kind.

        A block that the volume's end cuts is of another kind than a whole one.
        """
        part = self.part(block)
        kind = payload.name, _relative(part.box, block.start)
        if kind not in self._payloads:
            self._payloads[kind] = make_from_parts(block, [part], self._layout, payload)
        return self._payloads[kind]


def fill_of(source: ChunkSource, shape: ChunkShape, layout: BlockLayout) -> Fill | None:
    """Return the fill of a scale; None if its missing chunks are 0, or nothing at all.

    Args:
        source: Reads the scale.
        shape: What its chunks hold, of the channels that are shown.
        layout: What a block holds for each voxel.
    """
    value = source.fill
    return None if value is None or value == 0 else Fill(value, shape, source.grid.box, layout)


def _relative(box: Box, origin: Point) -> Box:
    start, stop = (Point(*(at - o for at, o in zip(corner, origin, strict=True))) for corner in box)
    return Box(start, stop)
