"""Plain values that several layers share."""

from typing import NamedTuple


class Point(NamedTuple):
    """A position or an extent along x, y and z, in voxels."""

    x: int
    y: int
    z: int


class BlockCoord(NamedTuple):
    """The position of a block: absolute voxel coordinates // block size; may be negative."""

    x: int
    y: int
    z: int


class ChunkCoord(NamedTuple):
    """The cell of a chunk in its scale's grid; cell (0, 0, 0) starts at the voxel offset."""

    x: int
    y: int
    z: int


class ByteRange(NamedTuple):
    """The bytes from *start* to *stop* of an object; *stop* is exclusive."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        """Number of bytes in the range."""
        return self.stop - self.start


class Finding(NamedTuple):
    """A problem and its fix."""

    text: str
    """What is wrong."""
    fix: str
    """The configuration line or the command that fixes it."""
