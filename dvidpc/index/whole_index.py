"""Encodes the index of a volume whose entries fit in memory; `build/` makes those of larger ones."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.dvid.label_index import encode_label_indexes, merge_entries
from dvidpc.formats.precomputed.shard_encoding import encode_shard, locate_all
from dvidpc.index.index_info import IndexedVolume, IndexInfo, encode_index_info
from dvidpc.index.layout import (
    BLOCK_SIZE,
    INFO_KEY,
    LABELS_DIRECTORY,
    TABLE_PART_ROWS,
    choose_sharding,
    table_key,
)
from dvidpc.index.size_table import TablePart, encode_table_part, rows_of


def encode_whole_index(
    volume: IndexedVolume, labels: NDArray[np.uint64], blocks: NDArray[np.uint64], voxels: NDArray[Any]
) -> Iterator[tuple[str, bytes]]:
    """Yield the key and the bytes of each object of an index, its `info` last.

    Args:
        volume: What is indexed.
        labels: The labels of pairs of a label and a block that holds it, in any order.
        blocks: Their blocks, as `pack_blocks` numbers them.
        voxels: How many voxels of the block have the label; those of equal pairs are added up.
    """
    labels, blocks, voxels = merge_entries(labels, blocks, voxels)
    first, last = (np.array(corner) for corner in (volume.start, volume.stop))
    spec = choose_sharding(int(np.prod(-(-last // BLOCK_SIZE) - first // BLOCK_SIZE)))
    encoded = encode_label_indexes(labels, blocks, voxels)
    messages = encoded.messages()
    shards, _ = locate_all(spec, encoded.labels)
    for shard in np.unique(shards).tolist():
        here = np.flatnonzero(shards == shard)
        data = encode_shard(spec, encoded.labels[here], [messages[at] for at in here.tolist()])
        yield f"{LABELS_DIRECTORY}/{spec.shard_name(shard)}", data
    rows = rows_of(labels, blocks, voxels)
    parts: list[TablePart] = []
    for at in range(0, len(rows), TABLE_PART_ROWS):
        data, part = encode_table_part(rows[at : at + TABLE_PART_ROWS])
        yield table_key(len(parts)), data
        parts.append(part)
    total = int(voxels.sum(dtype=np.uint64))
    max_label = int(encoded.labels.max(initial=0))
    info = IndexInfo(volume, spec, tuple(parts), len(rows), len(labels), total, max_label)
    yield INFO_KEY, encode_index_info(info)
