"""The second step of a build: write the shards of a partition from the counts of all tiles."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dvidpc.index.build.build_files import BuildFiles, open_files
from dvidpc.index.build.job import BuildJob
from dvidpc.index.build.map_step import Done, tile_name
from dvidpc.index.build.runs import COUNTS, counts_of, encode_rows, read_partition
from dvidpc.index.build.shard_making import make_shard
from dvidpc.index.layout import LABELS_DIRECTORY
from dvidpc.index.size_table import LABEL_ROW, Rows

ROWS: Final = "rows"
"""The directory of the files of this step, in scratch."""
_READS: Final = 8
"""Files of tiles that are read at the same time."""


def rows_name(partition: int) -> str:
    """Return the name of the file with the rows of a partition's labels."""
    return f"{ROWS}/{partition:08}.parquet"


def reduce_partition(job: BuildJob, partition: int, tiles: int) -> Done:
    """Write the shards of a partition, and the rows of their labels to scratch; the same whenever it runs.

    Args:
        job: The build.
        partition: Which partition.
        tiles: How many tiles the volume has; the files of all must exist.

    Raises:
        StoreError: A file cannot be read or written.
    """
    scratch, output = open_files(job.scratch), open_files(job.output)
    shards = job.shards_of(partition)
    rows: list[Rows] = [np.zeros(0, LABEL_ROW)]
    written = 0
    with TemporaryDirectory(prefix="dvidpc-") as local:
        _split(_read_tiles(scratch, shards, tiles), shards, Path(local))
        for shard in shards:
            made = make_shard(job.sharding, counts_of(_read_shard(Path(local), shard)))
            if made is not None:
                data, of_shard = made
                output.write(f"{LABELS_DIRECTORY}/{job.sharding.shard_name(shard)}", data)
                rows.append(of_shard)
                written += len(data)
    joined = np.concatenate(rows)
    scratch.write(rows_name(partition), encode_rows(joined[np.argsort(joined["label"])]))
    return Done(0, len(joined), written)


def _read_tiles(scratch: BuildFiles, shards: range, tiles: int) -> Iterator[pa.Table]:
    """Yield the part of each tile that belongs to the partition; bounded, as some are read ahead."""
    read = partial(read_partition, scratch, shards=shards)
    with ThreadPoolExecutor(_READS) as pool:
        for start in range(0, tiles, _READS):
            yield from pool.map(read, map(tile_name, range(start, min(start + _READS, tiles))))


def _split(tables: Iterator[pa.Table], shards: Sequence[int], local: Path) -> None:
    """Write what belongs to each shard to a file of its own, so that memory holds one shard at a time."""
    with ExitStack() as stack:
        sinks = {
            shard: stack.enter_context(pa.ipc.new_stream(str(local / str(shard)), COUNTS)) for shard in shards
        }
        for table in tables:
            for shard in pc.unique(table.column("shard")).to_pylist():
                sinks[shard].write_table(table.filter(pc.equal(table.column("shard"), shard)))


def _read_shard(local: Path, shard: int) -> pa.Table:
    with pa.ipc.open_stream(str(local / str(shard))) as stream:
        return stream.read_all()
