"""Label indexes of segmentations that a test writes: counted by numpy, voxel by voxel."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.dvid.label_index import encode_label_indexes, merge_entries, pack_blocks
from dvidpc.formats.precomputed.shard_encoding import encode_shard, locate_all
from dvidpc.index.index_info import IndexedVolume, IndexInfo, encode_index_info
from dvidpc.index.layout import INFO_KEY, LABELS_DIRECTORY, choose_sharding, table_key
from dvidpc.index.size_table import encode_table_part, rows_of
from dvidpc.types import Point
from tests.volumes import XYZ


def write_index(directory: Path, info: bytes, labels: NDArray[Any], offset: XYZ = (0, 0, 0)) -> IndexInfo:
    """Write the index of a volume.

    Args:
        directory: Where to.
        info: The `info` of the volume.
        labels: The voxels of its first scale, `[z, y, x]`.
        offset: Of the first voxel.
    """
    ids, blocks, voxels = merge_entries(*count_blocks(labels, offset))
    encoded = encode_label_indexes(ids, blocks, voxels)
    spec = choose_sharding(2**17)
    shards, _ = locate_all(spec, encoded.labels)
    messages = encoded.messages()
    (directory / LABELS_DIRECTORY).mkdir(parents=True)
    (directory / "table").mkdir()
    for shard in np.unique(shards).tolist():
        of_shard = np.flatnonzero(shards == shard)
        data = encode_shard(spec, encoded.labels[of_shard], [messages[i] for i in of_shard.tolist()])
        (directory / LABELS_DIRECTORY / spec.shard_name(shard)).write_bytes(data)
    rows = rows_of(ids, blocks, voxels)
    parts = []
    for number, of_part in enumerate(np.array_split(rows, 2) if len(rows) > 1 else [rows][: len(rows)]):
        data, part = encode_table_part(of_part)
        (directory / table_key(number)).write_bytes(data)
        parts.append(part)
    start, size = Point(*offset), labels.shape[::-1]
    stop = Point(*(at + n for at, n in zip(start, size, strict=True)))
    volume = IndexedVolume("file:///volume", "s0", hashlib.sha256(info).hexdigest(), "", start, stop)
    index = IndexInfo(
        volume,
        spec,
        tuple(parts),
        len(rows),
        len(ids),
        int(voxels.sum(dtype=np.uint64)),
        int(encoded.labels.max(initial=0)),
    )
    (directory / INFO_KEY).write_bytes(encode_index_info(index))
    return index


def count_blocks(
    labels: NDArray[Any], offset: XYZ
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64]]:
    """Return labels, packed blocks and voxels of each pair of a label and a block that holds it."""
    z, y, x = (at + first for at, first in zip(np.nonzero(labels), reversed(offset), strict=True))
    keys = np.empty(len(x), [("label", "u8"), ("z", "i8"), ("y", "i8"), ("x", "i8")])
    keys["label"] = labels[labels != 0]
    keys["z"], keys["y"], keys["x"] = z // 64, y // 64, x // 64
    pairs, counts = np.unique(keys, return_counts=True)
    xyz = np.column_stack([pairs["x"], pairs["y"], pairs["z"]])
    return pairs["label"], pack_blocks(xyz), counts
