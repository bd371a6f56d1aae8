"""What a build does: which volume, in which tiles and partitions, and where to. Pure."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import product
from typing import Final

import msgspec

from dvidpc.config import StoreConfig
from dvidpc.errors import ConfigError
from dvidpc.formats.grid import Box, Grid
from dvidpc.formats.precomputed.sharding import ShardingSpec
from dvidpc.index.index_info import IndexedVolume
from dvidpc.index.label_index_reader import digest_of
from dvidpc.index.layout import BLOCK_SIZE
from dvidpc.sources.buckets import settings_of
from dvidpc.sources.engines import ENGINES
from dvidpc.sources.plan import Metadata
from dvidpc.sources.precomputed.planning import PrecomputedScale
from dvidpc.sources.scale_plan import ScalePlan
from dvidpc.storage.base import BucketAccess, UpstreamLimits
from dvidpc.types import ChunkCoord, Point

_TILES: Final = 256
"""Tiles of a volume, at least, if it has as many blocks."""
_MOST_BLOCKS: Final = 2**16
"""Blocks of a tile: they take about a minute."""
_BATCH_BLOCKS: Final = 64
"""Blocks that are read together."""
_PARTITIONS: Final = 128
"""The most partitions: the reads from scratch are tiles times partitions."""


@dataclass(frozen=True)
class BuildJob:
    """One build. Equal jobs make equal bytes, in whatever order their steps run."""

    store: StoreConfig
    """The volume."""
    limits: UpstreamLimits
    """How its bucket is asked."""
    metadata: Metadata
    info_etag: str
    """Of its `info`; empty if the store gives none."""
    sources: str
    """A name for the versions of the objects that hold its chunks; empty if they are not known."""
    sharding: ShardingSpec
    """How the labels of the index are distributed."""
    output: BucketAccess
    """The directory of the index."""
    scratch: BucketAccess
    """The directory for what lies between map and reduce, of this build only."""

    def __getstate__(self) -> dict[str, object]:
        """Leave out what was computed: workers compute it again, which is faster than sending it."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    @cached_property
    def scale(self) -> ScalePlan:
        """The finest scale.

        Raises:
            ConfigError: The volume is not a segmentation.
        """
        return find_scale(self.store, self.metadata)

    @cached_property
    def volume(self) -> IndexedVolume:
        """What the `info` of the index says of the volume."""
        stored = self.scale.stored
        return IndexedVolume(
            self.metadata.url,
            stored.scale.key if isinstance(stored, PrecomputedScale) else stored.stored_as,
            digest_of(self.metadata.data),
            self.info_etag,
            self.scale.box.start,
            self.scale.box.stop,
        )

    @property
    def fingerprint(self) -> str:
        """A name for all that the files in scratch depend on."""
        facts = [
            digest_of(self.metadata.data),
            self.metadata.url,
            self.sources,
            sorted(self.store.skip_scales),
        ]
        return digest_of(msgspec.json.encode(facts))[:16]

    @property
    def partition_shards(self) -> int:
        """How many shards a partition has."""
        return max(1, (1 << self.sharding.shard_bits) // _PARTITIONS)

    @property
    def partitions(self) -> int:
        """How many partitions the shards make."""
        return (1 << self.sharding.shard_bits) // self.partition_shards

    def shards_of(self, partition: int) -> range:
        """Return the shards of a partition."""
        return range(partition * self.partition_shards, (partition + 1) * self.partition_shards)


def find_scale(store: StoreConfig, metadata: Metadata) -> ScalePlan:
    """Return the finest scale of a volume.

    Raises:
        ConfigError: The volume is not a segmentation.
        FormatError: The metadata cannot be understood.
    """
    plan = ENGINES[store.engine].plan(metadata, settings_of(store))
    if not plan.label_types:
        raise ConfigError(f"[store.{store.alias}] is not a segmentation; only labels are indexed")
    scale = plan.scales[0]
    return replace(scale, stored=scale.stored.of_channel(plan.channels[0].number))


def count_blocks(box: Box) -> int:
    """Return how many blocks a box of voxels touches."""
    return math.prod(-(-stop // BLOCK_SIZE) - start // BLOCK_SIZE for start, stop in zip(*box, strict=True))


@dataclass(frozen=True)
class Tiling:
    """A grid of chunks, cut into tiles, and these into batches that are read together."""

    grid: Grid
    tile: Point
    """Chunks of a tile along x, y and z: powers of two, so that no shard is cut without need."""
    batch: Point
    """Chunks of a batch, likewise."""

    @property
    def count(self) -> int:
        """How many tiles there are."""
        return math.prod(self._tiles)

    @property
    def _tiles(self) -> Point:
        return Point(*(-(-n // t) for n, t in zip(self.grid.cells, self.tile, strict=True)))

    def chunks_of(self, number: int) -> int:
        """Return how many chunks a tile has."""
        return math.prod(map(len, self._cells_of(number)))

    def batches(self, number: int) -> Iterator[list[ChunkCoord]]:
        """Yield the chunks of a tile, batch by batch."""
        axes = [
            [cells[start : start + b] for start in range(0, len(cells), b)]
            for cells, b in zip(self._cells_of(number), self.batch, strict=True)
        ]
        for zs, ys, xs in product(*reversed(axes)):
            yield [ChunkCoord(x, y, z) for z, y, x in product(zs, ys, xs)]

    def _cells_of(self, number: int) -> tuple[range, range, range]:
        """Return the cells of a tile along x, y and z."""
        rest, x = divmod(number, self._tiles.x)
        z, y = divmod(rest, self._tiles.y)
        along_x, along_y, along_z = (
            range(at * t, min((at + 1) * t, n))
            for at, t, n in zip((x, y, z), self.tile, self.grid.cells, strict=True)
        )
        return along_x, along_y, along_z


def tile_grid(grid: Grid) -> Tiling:
    """Return how a grid is cut: it depends on the grid alone, so that a build can be resumed."""
    blocks = math.prod(grid.size) // BLOCK_SIZE**3
    wanted = max(1, min(_MOST_BLOCKS, blocks // _TILES))
    return Tiling(grid, _box_of(grid, wanted), _box_of(grid, min(wanted, _BATCH_BLOCKS)))


def _box_of(grid: Grid, blocks: int) -> Point:
    """Return how many chunks make a box of at most *blocks*, or one chunk; as cubic as possible."""
    box = [1, 1, 1]
    voxels = math.prod(grid.chunk_size)
    while 2 * voxels <= blocks * BLOCK_SIZE**3:
        growing = [axis for axis in range(3) if box[axis] < grid.cells[axis]]
        if not growing:
            break
        axis = min(growing, key=lambda axis: box[axis] * grid.chunk_size[axis])
        box[axis] *= 2
        voxels *= 2
    return Point(*box)
