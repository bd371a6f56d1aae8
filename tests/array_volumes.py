"""Pyramids of arrays as labs lay them out, written by zarr-python and tensorstore."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts

from tests.drawn_arrays import DrawnArray, Voxels, write_array

NM = 8.0


def levels_of(voxels: Voxels, count: int) -> list[Voxels]:
    """Return *voxels* and coarser levels of it, each a subsample of the one before."""
    levels = [voxels]
    for _ in range(count - 1):
        levels.append(np.ascontiguousarray(levels[-1][::2, ::2, ::2]))
    return levels


def tissue(shape: tuple[int, int, int], data_type: str = "uint8", seed: int = 0) -> Voxels:
    """Return voxels `[z, y, x]` that vary from place to place; none is 0."""
    random = np.random.default_rng(seed)
    coarse = random.integers(1, 250, tuple(-(-n // 8) for n in shape))
    voxels = coarse.repeat(8, 0).repeat(8, 1).repeat(8, 2)[tuple(map(slice, shape))]
    return voxels.astype(data_type)


def write_ome_zarr(
    directory: Path,
    levels: list[Voxels],
    *,
    version: str = "0.4",
    chunk: tuple[int, int, int] = (64, 64, 64),
    shard: tuple[int, int, int] | None = None,
    fill: int = 0,
    is_labels: bool = False,
) -> None:
    """Write a multiscale image like OpenOrganelle's: axes z, y, x, levels s0, s1, ..., centres given.

    Args:
        directory: The group.
        levels: Its arrays, finest first.
        version: 0.4 writes zarr v2; 0.5 writes zarr v3.
        chunk: Extent of a chunk, of an inner chunk if there are shards.
        shard: Inner chunks along each axis of a shard.
        fill: The fill value.
        is_labels: Whether to say that it is a label image.
    """
    datasets = []
    for number, voxels in enumerate(levels):
        drawn = DrawnArray(
            "zarr2" if version == "0.4" else "zarr3",
            "tensorstore",
            str(voxels.dtype),
            "zyx",
            voxels.shape,
            chunk,
            "zstd",
            shard=shard,
            fill=fill,
        )
        write_array(drawn, directory / f"s{number}", voxels)
        factor = 2.0**number
        translation = [NM * (factor - 1) / 2] * 3
        transforms = [
            {"type": "scale", "scale": [NM * factor] * 3},
            {"type": "translation", "translation": translation},
        ]
        datasets.append({"path": f"s{number}", "coordinateTransformations": transforms})
    axes = [{"name": name, "type": "space", "unit": "nanometer"} for name in "zyx"]
    attributes: dict[str, Any] = {
        "multiscales": [{"version": version, "name": "em", "axes": axes, "datasets": datasets}]
    }
    if is_labels:
        attributes["image-label"] = {"version": version}
    if version == "0.4":
        (directory / ".zgroup").write_text('{"zarr_format": 2}')
        (directory / ".zattrs").write_text(json.dumps(attributes))
    else:
        group = {
            "zarr_format": 3,
            "node_type": "group",
            "attributes": {"ome": {"version": version, **attributes}},
        }
        (directory / "zarr.json").write_text(json.dumps(group))


def write_cosem_n5(directory: Path, levels: list[Voxels], chunk: tuple[int, int, int] = (64, 64, 64)) -> None:
    """Write a group of N5 like OpenOrganelle's: `scales`, `pixelResolution`, `axes`, levels s0, s1, ..."""
    for number, voxels in enumerate(levels):
        metadata = {
            "dimensions": voxels.shape[::-1],
            "blockSize": chunk[::-1],
            "dataType": str(voxels.dtype),
            "compression": {"type": "gzip"},
        }
        spec = {
            "driver": "n5",
            "kvstore": {"driver": "file", "path": f"{directory}/s{number}/"},
            "metadata": metadata,
        }
        ts.open(spec, create=True).result()[...].write(voxels.transpose()).result()
    attributes = {
        "axes": ["x", "y", "z"],
        "units": ["nm"] * 3,
        "scales": [[2**number] * 3 for number in range(len(levels))],
        "pixelResolution": {"unit": "nm", "dimensions": [NM] * 3},
    }
    (directory / "attributes.json").write_text(json.dumps(attributes))
