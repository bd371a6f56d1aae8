"""Builds of label indexes of volumes that a test writes, and what numpy says they must be."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from dvidpc.config import load_config
from dvidpc.formats.precomputed.sharding import ShardingSpec
from dvidpc.index.build.build_files import open_files
from dvidpc.index.build.finish_step import finish_index
from dvidpc.index.build.job import BuildJob, tile_grid
from dvidpc.index.build.job_making import find_store, make_job, parse_place, writing_access
from dvidpc.index.build.map_step import map_tile
from dvidpc.index.build.reduce_step import reduce_partition
from dvidpc.index.build.source_versions import SOURCES_KEY
from dvidpc.index.build.table_writing import Totals
from dvidpc.index.build.tile_reading import grid_of
from dvidpc.index.whole_index import encode_whole_index
from dvidpc.types import Point
from tests.label_index import count_blocks
from tests.volumes import XYZ

Objects = dict[str, bytes]
"""The objects of an index by key."""


def write_config(directory: Path, ref: str, more: str = "", engine: str = "ngprecomputed") -> Path:
    """Write a configuration of one volume, the store `labels`, with timeouts short enough for tests."""
    path = directory / "config.toml"
    limits = "[limits]\nfirst_byte_timeout = 0.8\nattempt_timeout = 1.6\nbackoff_min = 0.001\n"
    path.write_text(
        f'{limits}[store.labels]\nengine = "{engine}"\nref = "{ref}"\ninstance = "segmentation"\n{more}'
    )
    return path


def job_of(config: Path, output: Path, sharding: ShardingSpec | None = None) -> tuple[BuildJob, bytes]:
    """Return the job of the store `labels`; its shards are as usual if *sharding* is None."""
    loaded = load_config(config)
    store = find_store(loaded, "labels")
    places = [writing_access(store, parse_place(f"{output}{suffix}")) for suffix in ("", ".scratch")]
    job, sources = asyncio.run(make_job(loaded, store, *places))
    return (job if sharding is None else replace(job, sharding=sharding)), sources


def build(job: BuildJob, sources: bytes) -> Totals:
    """Run all steps in this process."""
    open_files(job.scratch).write(SOURCES_KEY, sources)
    tiles = tile_grid(grid_of(job)).count
    for tile in range(tiles):
        map_tile(job, tile)
    for partition in range(job.partitions):
        reduce_partition(job, partition, tiles)
    return finish_index(job)


def read_index(output: Path) -> Objects:
    """Return all objects of an index but `sources`."""
    files = [path for path in output.rglob("*") if path.is_file()]
    return {str(path.relative_to(output)): path.read_bytes() for path in files if path.name != SOURCES_KEY}


def index_of_voxels(job: BuildJob, labels: NDArray[Any], offset: XYZ = (0, 0, 0)) -> Objects:
    """Return the index of voxels `[z, y, x]` that numpy has counted, with the usual shards."""
    assert job.volume.stop == Point(*(a + n for a, n in zip(offset, labels.shape[::-1], strict=True)))
    return index_of_counts(job, count_blocks(labels, offset))


def index_of_counts(job: BuildJob, counts: tuple[NDArray[Any], NDArray[Any], NDArray[Any]]) -> Objects:
    """Return the index of what `count_blocks` has counted, with the usual shards."""
    return dict(encode_whole_index(job.volume, *counts))
