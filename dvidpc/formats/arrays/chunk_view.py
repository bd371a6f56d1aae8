"""One channel of one array as a lattice of chunks along x, y and z."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dvidpc.formats.arrays.levels import ArrayLevel
from dvidpc.formats.arrays.shard_index import ShardIndex
from dvidpc.formats.arrays.voxel_order import to_contiguous
from dvidpc.formats.data_types import Voxels
from dvidpc.types import ByteRange, ChunkCoord


@dataclass(frozen=True)
class ChunkView:
    """What an instance shows of an array. Cells are those of the level's grid, counted from its corner.

    An array without a channel axis has the channel 0 only.
    """

    level: ArrayLevel
    channel: int = 0

    def array_cell(self, cell: ChunkCoord) -> tuple[int, ...]:
        """Return the cell in the order of the array's own dimensions."""
        numbers = list(self._other_cells)
        for dimension, number in zip(self.level.axes.xyz, cell, strict=True):
            if dimension is not None:
                numbers[dimension] = number
        return tuple(numbers)

    def key(self, cell: ChunkCoord) -> str:
        """Return the name of the object that holds a chunk, relative to the array's directory."""
        return self.level.spec.key(self.array_cell(cell))

    def inner_of(self, cell: ChunkCoord) -> tuple[int, ...]:
        """Return the position of a chunk in its shard, for messages."""
        return self.level.spec.inner_of(self.array_cell(cell))

    def find(self, index: ShardIndex, cell: ChunkCoord) -> ByteRange | None:
        """Return where a chunk lies in its shard; None if the shard does not hold it.

        Raises:
            FormatError: The entry of the index is damaged.
        """
        return self.level.spec.find(index, self.array_cell(cell))

    def decode(self, cell: ChunkCoord, data: bytes) -> Voxels:
        """Return the voxels of a chunk `[1, z, y, x]`, clipped at the volume's end, little-endian.

        Raises:
            FormatError: *data* is damaged.
        """
        spec, axes = self.level.spec, self.level.axes
        whole = spec.decode(data)
        picked = whole[self._picked]
        order = self._kept_order
        x, y, z = self.level.grid.chunk_box(cell).size
        zyx = picked.transpose(order) if axes.z is not None else picked.transpose(order)[np.newaxis]
        return to_contiguous(zyx[:z, :y, :x], spec.dtype)[np.newaxis]

    def absent(self, cell: ChunkCoord) -> Voxels | None:
        """Return the voxels that a chunk which is not stored stands for, `[1, z, y, x]`; None if all are 0.

        They take no memory: it is one value, repeated.
        """
        spec = self.level.spec
        if spec.fill == 0:
            return None
        x, y, z = self.level.grid.chunk_box(cell).size
        return np.broadcast_to(np.array(spec.fill, spec.dtype), (1, z, y, x))

    def cell_at(self, name: str) -> ChunkCoord | None:
        """Return the first chunk that the object called *name* holds; None if it holds none of this view.

        Args:
            name: Relative to the array's directory. Those in `METADATA_NAMES` are not chunks.
        """
        spec = self.level.spec
        found = spec.keys.decode(name, len(spec.shape))
        if found is None:
            return None
        inner = spec.shard.cells if spec.shard else (1,) * len(found)
        numbers = tuple(i * n for i, n in zip(found, inner, strict=True))
        cell = ChunkCoord(
            *(0 if dimension is None else numbers[dimension] for dimension in self.level.axes.xyz)
        )
        is_inside = all(i < n for i, n in zip(cell, self.level.grid.cells, strict=True))
        return cell if is_inside and spec.object_of(self.array_cell(cell)) == found else None

    def names(self) -> Iterator[str]:
        """Yield the names of all objects that may hold a chunk of this view, x fastest."""
        step = self._shard_cells
        ranges = [range(0, n, s) for n, s in zip(self.level.grid.cells, step, strict=True)]
        for z, y, x in itertools.product(*reversed(ranges)):
            yield self.key(ChunkCoord(x, y, z))

    @property
    def num_objects(self) -> int:
        """How many names `names` yields."""
        x, y, z = (-(-n // s) for n, s in zip(self.level.grid.cells, self._shard_cells, strict=True))
        return x * y * z

    def stored_in(self, first: ChunkCoord, index: ShardIndex) -> list[ChunkCoord]:
        """Return the chunks of this view that a shard holds, x fastest.

        Args:
            first: The shard's first chunk, as `cell_at` returns it.
            index: Its index.
        """
        stored = index.is_stored()
        size = (
            min(s, n - f) for s, n, f in zip(self._shard_cells, self.level.grid.cells, first, strict=True)
        )
        xs, ys, zs = (range(f, f + n) for f, n in zip(first, size, strict=True))
        cells = (ChunkCoord(x, y, z) for z, y, x in itertools.product(zs, ys, xs))
        return [cell for cell in cells if stored[self.inner_of(cell)]]

    @cached_property
    def _shard_cells(self) -> tuple[int, ...]:
        """Chunks along x, y and z that an object holds."""
        shard = self.level.spec.shard
        if shard is None:
            return 1, 1, 1
        return tuple(1 if dimension is None else shard.cells[dimension] for dimension in self.level.axes.xyz)

    @cached_property
    def _positions(self) -> dict[int, int]:
        """The positions on dimensions other than x, y and z."""
        axes = self.level.axes
        positions = dict(axes.fixed)
        if axes.channel is not None:
            positions[axes.channel] = self.channel
        return positions

    @cached_property
    def _other_cells(self) -> tuple[int, ...]:
        """The cell on every dimension, 0 along x, y and z."""
        chunk = self.level.spec.chunk
        return tuple(self._positions.get(axis, 0) // extent for axis, extent in enumerate(chunk))

    @cached_property
    def _picked(self) -> tuple[int | slice, ...]:
        """What to take of a decoded chunk: all along x, y and z, and one position of the others."""
        chunk = self.level.spec.chunk
        return tuple(
            self._positions[axis] % extent if axis in self._positions else slice(None)
            for axis, extent in enumerate(chunk)
        )

    @cached_property
    def _kept_order(self) -> tuple[int, ...]:
        """The order of the dimensions that `_picked` leaves, so that they become z, y and x."""
        kept = sorted(dimension for dimension in self.level.axes.xyz if dimension is not None)
        return tuple(
            kept.index(dimension) for dimension in reversed(self.level.axes.xyz) if dimension is not None
        )
