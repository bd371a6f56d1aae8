"""Values that several layers pass to each other."""

from typing import NamedTuple


class Point(NamedTuple):
    """Three numbers along x, y and z: a position or an extent, in voxels."""

    x: int
    y: int
    z: int


class BlockCoord(NamedTuple):
    """Which block: absolute voxel coordinates, floor-divided by the block size. May be negative."""

    x: int
    y: int
    z: int


class ChunkCoord(NamedTuple):
    """Which chunk: the cell of a scale's grid, whose cell (0, 0, 0) starts at the voxel offset."""

    x: int
    y: int
    z: int


class ByteRange(NamedTuple):
    """Bytes *start* to *stop* of an object; *stop* is exclusive."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        """How many bytes the range holds."""
        return self.stop - self.start


class Finding(NamedTuple):
    """Something that is wrong, and its fix: a line of the configuration, or a command."""

    text: str
    fix: str
