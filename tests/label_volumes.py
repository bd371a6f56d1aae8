"""Segmentations on disk, written and read by tensorstore."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

from tests.volumes import XYZ

Labels = NDArray[Any]
"""`[z, y, x]`."""


@dataclass(frozen=True)
class LabelScale:
    """One scale to write. Sizes are x, y, z."""

    labels: Labels
    resolution: tuple[float, float, float] = (8, 8, 8)
    offset: XYZ = (0, 0, 0)
    chunk_size: XYZ = (64, 64, 64)
    encoding: str = "compressed_segmentation"
    sub_block: XYZ = (8, 8, 8)
    sharding: Mapping[str, Any] | None = None
    holes: Sequence[XYZ] = field(default_factory=tuple)
    """Chunks that are not stored, by their position in the grid; not for sharded scales."""

    @property
    def size(self) -> XYZ:
        """Voxels along x, y and z."""
        z, y, x = self.labels.shape
        return x, y, z

    def chunk_name(self, cell: XYZ) -> str:
        """Return the name of the file of an unsharded chunk."""
        ranges = []
        for at, step, start, length in zip(cell, self.chunk_size, self.offset, self.size, strict=True):
            ranges.append(f"{start + at * step}-{start + min(length, (at + 1) * step)}")
        return "_".join(ranges)


def write_labels(directory: Path, *scales: LabelScale) -> None:
    """Write a segmentation; scale N lies in the directory sN. Chunks of zeros are stored too."""
    for level, scale in enumerate(scales):
        store = ts.open(
            {**_description(directory, level, scale), "store_data_equal_to_fill_value": True},
            create=True,
            open=True,
        ).result()
        store[...].write(scale.labels.transpose(2, 1, 0)[..., None]).result()
        for hole in scale.holes:
            (directory / f"s{level}" / scale.chunk_name(hole)).unlink()


def read_labels(directory: Path, level: int = 0) -> Labels:
    """Return what tensorstore reads of a scale."""
    spec = {
        "driver": "neuroglancer_precomputed",
        "kvstore": {"driver": "file", "path": f"{directory}/"},
        "scale_index": level,
    }
    voxels = ts.open(spec).result().read().result()
    return np.asarray(voxels)[..., 0].transpose(2, 1, 0)


def cut(labels: Labels, offset: XYZ, start: XYZ, size: XYZ) -> Labels:
    """Return the labels of a box in absolute coordinates; 0 outside the volume."""
    box = np.zeros(size[::-1], labels.dtype)
    low = [max(a, o) for a, o in zip(start, offset, strict=True)]
    high = [min(a + n, o + m) for a, n, o, m in zip(start, size, offset, labels.shape[::-1], strict=True)]
    if all(first < last for first, last in zip(low, high, strict=True)):
        spans = list(zip(low, high, start, offset, strict=True))[::-1]
        target = tuple(slice(first - a, last - a) for first, last, a, _ in spans)
        box[target] = labels[tuple(slice(first - o, last - o) for first, last, _, o in spans)]
    return box


def _description(directory: Path, level: int, scale: LabelScale) -> dict[str, Any]:
    encoding: dict[str, Any] = {"encoding": scale.encoding}
    if scale.encoding == "compressed_segmentation":
        encoding["compressed_segmentation_block_size"] = list(scale.sub_block)
    return {
        "driver": "neuroglancer_precomputed",
        "kvstore": {"driver": "file", "path": f"{directory}/"},
        "multiscale_metadata": {
            "type": "segmentation",
            "data_type": str(scale.labels.dtype),
            "num_channels": 1,
        },
        "scale_metadata": {
            "key": f"s{level}",
            "resolution": list(scale.resolution),
            "size": list(scale.size),
            "voxel_offset": list(scale.offset),
            "chunk_size": list(scale.chunk_size),
            **encoding,
            **({"sharding": dict(scale.sharding)} if scale.sharding else {}),
        },
    }
