"""The first step of a build: count the labels of a tile, and write the counts to scratch."""

import asyncio
from typing import Final, NamedTuple

from dvidpc.index.build.block_counts import BlockCounts, join_counts
from dvidpc.index.build.build_files import open_files
from dvidpc.index.build.job import BuildJob, tile_grid
from dvidpc.index.build.runs import TileWriter
from dvidpc.index.build.tile_reading import count_tile, opened_copies

TILES: Final = "tiles"
"""The directory of the files of this step, in scratch."""
_MOST_ROWS: Final = 2**21
"""Rows from which counts are sorted and compressed: they take about 300 MiB meanwhile."""


class Done(NamedTuple):
    """What a task did."""

    chunks: int
    rows: int
    nbytes: int
    """Bytes that it wrote."""


def tile_name(number: int) -> str:
    """Return the name of the file of a tile."""
    return f"{TILES}/{number:08}.parquet"


def map_tile(job: BuildJob, number: int) -> Done:
    """Count the labels of a tile and write its file; the same whenever it runs.

    Raises:
        FormatError: A chunk is damaged.
        StoreError: A chunk cannot be read, or the file cannot be written.
    """
    data, rows, chunks = asyncio.run(_count(job, number))
    open_files(job.scratch).write(tile_name(number), data)
    return Done(chunks, rows, len(data))


async def _count(job: BuildJob, number: int) -> tuple[bytes, int, int]:
    writer = TileWriter(job.sharding, job.partition_shards)
    waiting: list[BlockCounts] = []
    rows = total = 0
    async with opened_copies(job) as copies:
        tiling = tile_grid(copies[0].grid)
        async for counts in count_tile(copies, tiling, number):
            waiting.append(counts)
            rows += counts.rows
            if rows >= _MOST_ROWS:
                writer.flush(join_counts(waiting))
                total, rows = total + rows, 0
                waiting.clear()
        writer.flush(join_counts(waiting))
    return writer.close(), total + rows, tiling.chunks_of(number)
