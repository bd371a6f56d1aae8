"""The files in scratch, in Parquet: block counts of a tile by partition, and rows of the table."""

import io
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from dvidpc.errors import StoreError
from dvidpc.formats.precomputed.shard_encoding import locate_all
from dvidpc.formats.precomputed.sharding import ShardingSpec
from dvidpc.index.build.block_counts import BlockCounts, add_equal
from dvidpc.index.build.build_files import BuildFiles
from dvidpc.index.size_table import LABEL_ROW, Rows

COUNTS: Final = pa.schema(
    [("shard", pa.uint32()), ("label", pa.uint64()), ("block", pa.uint64()), ("voxels", pa.uint32())]
)
"""The columns of a tile's file; a row group has the shards of one partition only."""
_ROWS: Final = pa.schema([("row", pa.binary(LABEL_ROW.itemsize))])
_ROWS_TOGETHER: Final = 8192
"""Rows of the table that are read together."""
_COMPRESSION: Final = {"compression": "zstd", "compression_level": 1}


class TileWriter:
    """Collects the block counts of a tile, and makes its file of them.

    Memory is bounded by what is collected between two calls of `flush`.

    Args:
        spec: How labels are distributed over the shards of the index.
        partition_shards: How many shards a partition has.
    """

    def __init__(self, spec: ShardingSpec, partition_shards: int) -> None:
        self._spec = spec
        self._partition_shards = partition_shards
        self._out = io.BytesIO()
        self._writer = pq.ParquetWriter(
            self._out, COUNTS, use_dictionary=["shard", "label"], write_statistics=["shard"], **_COMPRESSION
        )

    def flush(self, counts: BlockCounts) -> None:
        """Add block counts, as row groups for each partition that they belong to."""
        if not counts.rows:
            return
        shards, counts = _sort(self._spec, counts)
        partitions = shards // np.uint64(self._partition_shards)
        cuts = [0, *(np.flatnonzero(np.diff(partitions)) + 1).tolist(), len(shards)]
        table = counts_table(shards, counts)
        for start, stop in pairwise(cuts):
            self._writer.write_table(table.slice(start, stop - start), row_group_size=stop - start)

    def close(self) -> bytes:
        """Return the file."""
        self._writer.close()
        return self._out.getvalue()


def _sort(spec: ShardingSpec, counts: BlockCounts) -> tuple[NDArray[np.uint64], BlockCounts]:
    """Sort counts by shard, then label, then block, and add those of the same label and block."""
    shards, _ = locate_all(spec, counts.labels)
    order = np.lexsort((counts.blocks, counts.labels, shards))
    added = add_equal(counts.take(order))
    shards, _ = locate_all(spec, added.labels)
    return shards, added


def counts_table(shards: NDArray[np.uint64], counts: BlockCounts) -> pa.Table:
    """Return block counts as a table of `COUNTS`."""
    columns = [shards.astype(np.uint32), counts.labels, counts.blocks, counts.voxels]
    return pa.Table.from_arrays([pa.array(column) for column in columns], schema=COUNTS)


def counts_of(table: pa.Table) -> BlockCounts:
    """Return the block counts of a table of `COUNTS`."""
    return BlockCounts(*(table.column(name).to_numpy() for name in COUNTS.names[1:]))


def read_partition(files: BuildFiles, name: str, shards: range) -> pa.Table:
    """Return the part of a tile's file that belongs to the shards of a partition, as a table of `COUNTS`.

    Raises:
        StoreError: The file cannot be read, or is damaged.
    """
    try:
        with files.open(name) as opened, pq.ParquetFile(opened) as parquet:
            groups = [
                number
                for number in range(parquet.num_row_groups)
                if parquet.metadata.row_group(number).column(0).statistics.min in shards
            ]
            return parquet.read_row_groups(groups, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"{name} in scratch cannot be read: {error}") from error


def encode_rows(rows: Rows) -> bytes:
    """Return the file of some rows of the table."""
    out = io.BytesIO()
    column = pa.Array.from_buffers(
        pa.binary(LABEL_ROW.itemsize), len(rows), [None, pa.py_buffer(rows.tobytes())]
    )
    pq.write_table(
        pa.Table.from_arrays([column], schema=_ROWS),
        out,
        row_group_size=_ROWS_TOGETHER,
        use_dictionary=False,
        write_statistics=False,
        **_COMPRESSION,
    )
    return out.getvalue()


def read_rows(files: BuildFiles, name: str) -> Iterator[Rows]:
    """Yield the rows of a file, some thousands at a time.

    Raises:
        StoreError: The file cannot be read, or is damaged.
    """
    try:
        with files.open(name) as opened, pq.ParquetFile(opened) as parquet:
            for number in range(parquet.num_row_groups):
                for chunk in parquet.read_row_group(number, use_threads=False).column(0).chunks:
                    start = chunk.offset * LABEL_ROW.itemsize
                    yield np.frombuffer(chunk.buffers()[1], LABEL_ROW, len(chunk), start)
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"{name} in scratch cannot be read: {error}") from error
