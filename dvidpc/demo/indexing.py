"""Writes the label index of the demo's neurites."""

from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.dvid.label_index import pack_blocks
from dvidpc.formats.precomputed.info import parse_info
from dvidpc.index.index_info import IndexedVolume
from dvidpc.index.label_index_reader import digest_of
from dvidpc.index.layout import BLOCK_SIZE
from dvidpc.index.whole_index import encode_whole_index
from dvidpc.types import Point


def write_label_index(directory: Path, volume: Path, labels: NDArray[np.unsignedinteger]) -> None:
    """Count the labels `[z, y, x]` of every block, and write the index.

    Args:
        directory: Where to.
        volume: The directory of the volume.
        labels: The voxels of its finest scale, which start at 0, 0, 0.

    Raises:
        OSError: The file system refuses.
    """
    size = Point(*labels.shape[::-1])
    found, blocks, counts = [], [], []
    for block in product(*(range(-(-n // BLOCK_SIZE)) for n in size)):
        x, y, z = (at * BLOCK_SIZE for at in block)
        part = labels[z : z + BLOCK_SIZE, y : y + BLOCK_SIZE, x : x + BLOCK_SIZE]
        ids, voxels = np.unique(part[part > 0], return_counts=True)
        found.append(ids.astype(np.uint64))
        blocks.append(np.broadcast_to(pack_blocks(np.array([block])), len(ids)))
        counts.append(voxels)
    info = (volume / "info").read_bytes()
    key = parse_info(info).scales[0].key
    indexed = IndexedVolume(volume.name, key, digest_of(info), "", Point(0, 0, 0), size)
    entries = (np.concatenate(each) for each in (found, blocks, counts))
    for name, data in encode_whole_index(indexed, *entries):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
