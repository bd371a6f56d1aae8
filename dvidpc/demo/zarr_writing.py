"""Writes the demo's image and neurites as OME-Zarr 0.5: zarr v3 in shards, at several scales."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

_CHUNK: Final = 64
_SHARD: Final = 256
"""Voxels along each edge of a shard."""
_OME_VERSION: Final = "0.5"


def write_pyramid(
    directory: Path,
    scales: Sequence[NDArray[np.unsignedinteger]],
    resolution_nm: int,
    more: Mapping[str, object],
) -> None:
    """Write a multiscale image, `[z, y, x]`, finest scale first.

    Args:
        directory: The group to write.
        scales: Voxels; each scale has half the resolution of the one before.
        resolution_nm: Extent of a voxel of the first.
        more: Further attributes of the group.

    Raises:
        OSError: The file system refuses.
    """
    datasets = []
    for scale, voxels in enumerate(scales):
        extent = resolution_nm << scale
        _write_array(directory / f"s{scale}", voxels)
        datasets.append(
            {"path": f"s{scale}", "coordinateTransformations": _transforms(extent, resolution_nm)}
        )
    axes = [{"name": name, "type": "space", "unit": "nanometer"} for name in "zyx"]
    multiscale = {"name": directory.name, "axes": axes, "datasets": datasets}
    write_group(directory, {"ome": {"version": _OME_VERSION, "multiscales": [multiscale], **more}})


def write_group(directory: Path, attributes: Mapping[str, object]) -> None:
    """Write the document of a group of zarr v3."""
    directory.mkdir(parents=True, exist_ok=True)
    document = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
    (directory / "zarr.json").write_text(json.dumps(document, indent=2))


def _transforms(extent: int, finest: int) -> list[dict[str, object]]:
    """Return scale and translation of a scale, in nm; the translation is the center of its first voxel."""
    return [
        {"type": "scale", "scale": [extent] * 3},
        {"type": "translation", "translation": [(extent - finest) / 2] * 3},
    ]


def _write_array(directory: Path, voxels: NDArray[np.unsignedinteger]) -> None:
    compression = {"name": "blosc", "configuration": {"cname": "zstd", "clevel": 5, "shuffle": "shuffle"}}
    codecs = [{"name": "bytes", "configuration": {"endian": "little"}}, compression]
    sharding = {"chunk_shape": [_CHUNK] * 3, "codecs": codecs}
    spec = {
        "driver": "zarr3",
        "kvstore": {"driver": "file", "path": f"{directory}/"},
        "metadata": {
            "shape": voxels.shape,
            "data_type": voxels.dtype.name,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [_SHARD] * 3}},
            "codecs": [{"name": "sharding_indexed", "configuration": sharding}],
            "dimension_names": list("zyx"),
        },
    }
    try:
        ts.open(spec, create=True).result()[...].write(voxels).result()
    except ValueError as error:  # TensorStore raises it for any failure, a full disk included.
        raise OSError(str(error).partition(" [")[0]) from error
