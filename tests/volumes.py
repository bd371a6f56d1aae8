"""Test volumes, written and read by tensorstore, so that our code is not compared with itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

XYZ = tuple[int, int, int]
Voxels = NDArray[Any]

SHARDED: Mapping[str, Any] = {
    "@type": "neuroglancer_uint64_sharded_v1",
    "preshift_bits": 1,
    "hash": "identity",
    "minishard_bits": 2,
    "shard_bits": 1,
    "minishard_index_encoding": "gzip",
    "data_encoding": "raw",
}


def sharding(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return SHARDED with *changes*."""
    return {**SHARDED, **changes}


@dataclass(frozen=True)
class VolumeSpec:
    """A volume to write. Sizes are x, y, z."""

    size: XYZ = (150, 130, 100)
    chunk_size: XYZ = (64, 64, 64)
    offset: XYZ = (0, 0, 0)
    encoding: str = "raw"
    data_type: str = "uint8"
    num_channels: int = 1
    sharding: Mapping[str, Any] | None = None
    holes: tuple[XYZ, ...] = ()
    """Chunks that are not stored, by their position in the grid."""
    scale_levels: int = 1
    resolution: XYZ = (8, 8, 8)
    """The resolution of scale 0 in nm; each further scale doubles it."""
    scale_extras: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    @property
    def cells(self) -> XYZ:
        """Number of chunks along x, y and z."""
        x, y, z = (-(-n // c) for n, c in zip(self.size, self.chunk_size, strict=True))
        return x, y, z

    def scale_size(self, level: int) -> XYZ:
        """Return the size of a scale: half of the previous one, rounded up."""
        x, y, z = (max(1, -(-n // 2**level)) for n in self.size)
        return x, y, z


def write_volume(directory: Path, spec: VolumeSpec) -> list[Voxels]:
    """Write a volume below *directory*; return what tensorstore reads back, `[x, y, z, c]`, for each scale.

    The voxels vary smoothly, so that JPEG changes them little. Only holes contain zeros, because tensorstore
    does not store a chunk of zeros.
    """
    truth = []
    for level in range(spec.scale_levels):
        store = ts.open(_description(directory, spec, level), create=True, open=True).result()
        voxels = _draw_voxels(spec, level)
        if level == 0:
            for hole in spec.holes:
                voxels[
                    tuple(slice(g * c, (g + 1) * c) for g, c in zip(hole, spec.chunk_size, strict=True))
                ] = 0
        store[...].write(voxels).result()
        truth.append(np.asarray(store[...].read().result()))
    return truth


def expected_box(truth: Voxels, offset: XYZ, start: XYZ, size: XYZ) -> Voxels:
    """Return the voxels `[x, y, z, c]` of a box in absolute coordinates; zero outside the volume."""
    box = np.zeros((*size, truth.shape[3]), truth.dtype)
    source, target = [], []
    for a, n, o, length in zip(start, size, offset, truth.shape[:3], strict=True):
        low, high = max(a, o), min(a + n, o + length)
        if high <= low:
            return box
        source.append(slice(low - o, high - o))
        target.append(slice(low - a, high - a))
    box[tuple(target)] = truth[tuple(source)]
    return box


def stored_in(spec: VolumeSpec, start: XYZ, size: XYZ) -> bool:
    """Whether a stored chunk of scale 0 touches a box in absolute coordinates."""
    ranges = []
    for a, n, o, length, c in zip(start, size, spec.offset, spec.size, spec.chunk_size, strict=True):
        low, high = max(a, o), min(a + n, o + length)
        if high <= low:
            return False
        ranges.append(range((low - o) // c, (high - 1 - o) // c + 1))
    touched = {(x, y, z) for x in ranges[0] for y in ranges[1] for z in ranges[2]}
    return not touched <= set(spec.holes)


def _description(directory: Path, spec: VolumeSpec, level: int) -> dict[str, Any]:
    scale: dict[str, Any] = {
        "key": f"s{level}",
        "resolution": [n * 2**level for n in spec.resolution],
        "size": list(spec.scale_size(level)),
        "voxel_offset": [o // 2**level for o in spec.offset],
        "chunk_size": list(spec.chunk_size),
        "encoding": spec.encoding,
        **({"sharding": dict(spec.sharding)} if spec.sharding else {}),
        **({"jpeg_quality": 95} if spec.encoding == "jpeg" else {}),
        **spec.scale_extras,
    }
    return {
        "driver": "neuroglancer_precomputed",
        "kvstore": {"driver": "file", "path": f"{directory}/"},
        "multiscale_metadata": {
            "type": "image",
            "data_type": spec.data_type,
            "num_channels": spec.num_channels,
        },
        "scale_metadata": scale,
    }


def _draw_voxels(spec: VolumeSpec, level: int) -> Voxels:
    size = spec.scale_size(level)
    rng = np.random.default_rng(spec.seed + level)
    x, y, z = (np.sin(np.arange(n) / 9 + rng.uniform(0, 6)) for n in size)
    smooth = x[:, None, None] + y[None, :, None] + z[None, None, :]
    channels = np.stack([smooth + 0.7 * c for c in range(spec.num_channels)], axis=-1)
    dtype = np.dtype(spec.data_type)
    if dtype.kind == "f":
        return (channels + 7).astype(dtype)
    top = np.iinfo(dtype).max
    scaled = (channels + 4) / (8 + 0.7 * spec.num_channels)
    if spec.encoding != "jpeg":
        scaled = scaled + rng.uniform(0, 0.05, channels.shape)
    return np.clip(scaled * float(top), 1, float(top) * 0.99).astype(dtype)
