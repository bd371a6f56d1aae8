"""Draws the demo's image and neurites, and writes them in one of the layouts: sharded, at several scales."""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

from dvidpc.demo.fields import Shape
from dvidpc.demo.guide import INDEX, SYNAPSES
from dvidpc.demo.indexing import write_label_index
from dvidpc.demo.layouts import Layout
from dvidpc.demo.shapes import write_shapes
from dvidpc.demo.synapses import write_synapses
from dvidpc.demo.tissue import Region, Tissue
from dvidpc.demo.zarr_writing import write_group, write_pyramid

Voxels: TypeAlias = NDArray[np.unsignedinteger]

_RESOLUTION_NM = 8
_CHUNK = 64
_PRESHIFT_BITS = 3
"""Eight neighbouring chunks share a minishard."""
_MINISHARD_BITS = 3
"""Eight minishards make a shard of 256 voxels a side."""


class _Kind(NamedTuple):
    """What the image and the labels do not have in common."""

    scales: int
    method: Literal["mean", "mode"]
    """How coarser scales are made."""
    volume: Mapping[str, str]
    encoding: Mapping[str, object]
    data_encoding: str
    """How shards hold chunks."""


_IMAGE = _Kind(
    4, "mean", {"type": "image", "data_type": "uint8"}, {"encoding": "jpeg", "jpeg_quality": 85}, "raw"
)
_LABELS = _Kind(
    3,
    "mode",
    {"type": "segmentation", "data_type": "uint64"},
    {"encoding": "compressed_segmentation", "compressed_segmentation_block_size": [8] * 3},
    "gzip",
)


def write_volumes(
    directory: Path,
    shape: Shape,
    seed: int,
    report: Callable[[float], None],
    layout: Layout = Layout.PRECOMPUTED,
) -> None:
    """Draw tissue of *shape*; write its image, and its neurites and synapses below it.

    Args:
        directory: The image's.
        shape: In voxels, [z, y, x].
        seed: The same one draws the same tissue.
        report: Gets the fraction that is done.
        layout: The format of image and neurites; synapses are always precomputed.

    Raises:
        OSError: The file system refuses.
    """
    tissue = Tissue(shape, seed)
    image, labels = np.empty(shape, np.uint8), np.empty(shape, np.uint16)
    regions = list(_split(shape))
    for done, region in enumerate(regions, 1):
        image[region], labels[region] = tissue.draw(region)
        report(0.8 * done / len(regions))
    below = directory / layout.segmentation
    if layout is Layout.ZARR:
        write_pyramid(directory, list(_scales(_IMAGE, image)), _RESOLUTION_NM, {})
        report(0.9)
        write_pyramid(below, list(_scales(_LABELS, labels)), _RESOLUTION_NM, {"image-label": {}})
        write_group(below.parent, {"ome": {"labels": [below.name]}})
    else:
        _write_scales(directory, _IMAGE, image)
        report(0.9)
        coarsest = _write_scales(below, _LABELS, labels)
        write_shapes(below, coarsest, _RESOLUTION_NM << (_LABELS.scales - 1))
        write_label_index(directory / INDEX, below, labels)
    write_synapses(directory / SYNAPSES, labels, tissue.activity, _RESOLUTION_NM)
    report(1)


def _split(shape: Shape) -> Iterator[Region]:
    """Yield regions of one chunk each, which is about the size that is fastest to draw."""
    z, y, x = ([slice(start, min(start + _CHUNK, n)) for start in range(0, n, _CHUNK)] for n in shape)
    return product(z, y, x)


def _scales(kind: _Kind, voxels: Voxels) -> Iterator[Voxels]:
    """Yield all scales of a volume, finest first."""
    yield voxels
    for _ in range(kind.scales - 1):
        voxels = ts.downsample(ts.array(voxels), [2, 2, 2], kind.method).read().result()
        yield voxels


def _write_scales(directory: Path, kind: _Kind, voxels: Voxels) -> Voxels:
    """Write all scales of a precomputed volume; return the coarsest."""
    for scale, shown in enumerate(_scales(kind, voxels)):
        _write_scale(directory, kind, shown, _RESOLUTION_NM << scale)
        voxels = shown
    return voxels


def _write_scale(directory: Path, kind: _Kind, voxels: Voxels, resolution_nm: int) -> None:
    size = voxels.shape[::-1]
    grid = [-(-n // _CHUNK) for n in size]
    id_bits = sum((n - 1).bit_length() for n in grid)
    spec = {
        "driver": "neuroglancer_precomputed",
        "kvstore": {"driver": "file", "path": f"{directory}/"},
        "multiscale_metadata": {"num_channels": 1, **kind.volume},
        "scale_metadata": {
            "size": size,
            "resolution": [resolution_nm] * 3,
            "chunk_size": [_CHUNK] * 3,
            "sharding": {
                "@type": "neuroglancer_uint64_sharded_v1",
                "hash": "identity",
                "preshift_bits": _PRESHIFT_BITS,
                "minishard_bits": _MINISHARD_BITS,
                "shard_bits": max(0, id_bits - _PRESHIFT_BITS - _MINISHARD_BITS),
                "minishard_index_encoding": "gzip",
                "data_encoding": kind.data_encoding,
            },
            **kind.encoding,
        },
    }
    try:
        store = ts.open(spec, create=True).result()
        store[..., 0].write(ts.cast(ts.array(voxels.T), store.dtype)).result()
    except ValueError as error:  # TensorStore raises it for any failure, a full disk included.
        raise OSError(str(error).partition(" [")[0]) from error
