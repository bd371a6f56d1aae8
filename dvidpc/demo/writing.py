"""Writes the demo's image as a Neuroglancer precomputed volume: sharded JPEG chunks at several scales."""

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

from dvidpc.demo.fields import Shape
from dvidpc.demo.tissue import Region, Tissue

_SCALES = 4
_RESOLUTION_NM = 8
_CHUNK = 64
_PRESHIFT_BITS = 3
"""Eight neighbouring chunks share a minishard."""
_MINISHARD_BITS = 3
"""Eight minishards make a shard of 256 voxels a side."""


def write_image(directory: Path, shape: Shape, seed: int, report: Callable[[float], None]) -> None:
    """Draw tissue of *shape* and write all scales of it. *report* gets the fraction done.

    Raises:
        OSError: The file system refuses.
    """
    tissue = Tissue(shape, seed)
    image = np.empty(shape, np.uint8)
    regions = list(_split(shape))
    for done, region in enumerate(regions, 1):
        image[region] = tissue.image(region)
        report(0.9 * done / len(regions))
    for scale in range(_SCALES):
        _write_scale(directory, image, _RESOLUTION_NM << scale)
        image = ts.downsample(ts.array(image), [2, 2, 2], "mean").read().result()
    report(1)


def _split(shape: Shape) -> Iterator[Region]:
    """Yield regions of one chunk each, which is about the size that is fastest to draw."""
    z, y, x = ([slice(start, min(start + _CHUNK, n)) for start in range(0, n, _CHUNK)] for n in shape)
    return product(z, y, x)


def _write_scale(directory: Path, image: NDArray[np.uint8], resolution_nm: int) -> None:
    size = image.shape[::-1]
    grid = [-(-n // _CHUNK) for n in size]
    id_bits = sum((n - 1).bit_length() for n in grid)
    spec = {
        "driver": "neuroglancer_precomputed",
        "kvstore": {"driver": "file", "path": f"{directory}/"},
        "multiscale_metadata": {"type": "image", "data_type": "uint8", "num_channels": 1},
        "scale_metadata": {
            "size": size,
            "resolution": [resolution_nm] * 3,
            "chunk_size": [_CHUNK] * 3,
            "encoding": "jpeg",
            "jpeg_quality": 85,
            "sharding": {
                "@type": "neuroglancer_uint64_sharded_v1",
                "hash": "identity",
                "preshift_bits": _PRESHIFT_BITS,
                "minishard_bits": _MINISHARD_BITS,
                "shard_bits": max(0, id_bits - _PRESHIFT_BITS - _MINISHARD_BITS),
                "minishard_index_encoding": "gzip",
                "data_encoding": "raw",
            },
        },
    }
    try:
        store = ts.open(spec, create=True).result()
        store[..., 0].write(image.T).result()
    except ValueError as error:  # TensorStore raises it for any failure, a full disk included.
        raise OSError(str(error).partition(" [")[0]) from error
