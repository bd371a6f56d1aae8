"""Segmentations for tests, written by tensorstore."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

from tests.volumes import XYZ

HUGE = (2**53 + 1, 2**63 + 7, 2**64 - 1)
"""Labels that a double, or a signed integer, does not hold."""


def write_segmentation(
    directory: Path,
    scales: Sequence[NDArray[np.unsignedinteger]],
    resolution: XYZ = (8, 8, 8),
    offset: XYZ = (0, 0, 0),
) -> None:
    """Write *scales*, `[x, y, z]`, the first of which has *resolution* in nm and starts at *offset*."""
    for level, voxels in enumerate(scales):
        store = ts.open(
            {
                "driver": "neuroglancer_precomputed",
                "kvstore": {"driver": "file", "path": f"{directory}/"},
                "multiscale_metadata": {
                    "type": "segmentation",
                    "data_type": voxels.dtype.name,
                    "num_channels": 1,
                },
                "scale_metadata": {
                    "key": f"s{level}",
                    "resolution": [nm * 2**level for nm in resolution],
                    "size": voxels.shape,
                    "voxel_offset": [at // 2**level for at in offset],
                    "chunk_size": [64, 64, 64],
                    "encoding": "compressed_segmentation",
                    "compressed_segmentation_block_size": [8, 8, 8],
                },
            },
            create=True,
            open=True,
        ).result()
        store[..., 0].write(voxels).result()


def stripes(size: XYZ, labels: Sequence[int], width: int = 10) -> NDArray[np.uint64]:
    """Return voxels `[x, y, z]` whose labels alternate along x, and are 0 at the first of every *width*."""
    x = np.arange(size[0])
    line = np.where(x % width == 0, 0, np.array(labels, np.uint64)[x // width % len(labels)])
    return np.broadcast_to(line[:, None, None], size).astype(np.uint64)
