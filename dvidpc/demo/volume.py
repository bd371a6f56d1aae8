"""A greyscale image as a Neuroglancer precomputed volume: sharded JPEG chunks at several scales."""

from pathlib import Path

import numpy as np
import tensorstore as ts

from dvidpc.demo.micrograph import Image

_SCALES = 4
_RESOLUTION_NM = 8
_CHUNK = 64
_JPEG_QUALITY = 85
_PRESHIFT_BITS = 3
"""Eight neighbours in space are neighbours in a minishard,"""
_MINISHARD_BITS = 3
"""and eight minishards make a shard: 256 voxels a side."""


def write_volume(directory: Path, image: Image) -> None:
    """Write *image*, [z, y, x] at 8 nm, and its coarser scales.

    Raises:
        OSError: the file system refuses.
    """
    for scale in range(_SCALES):
        _write_scale(directory, image, _RESOLUTION_NM << scale)
        image = halve(image)


def halve(image: Image) -> Image:
    """The mean of each 2 x 2 x 2 voxels, or of as many as there are at the upper faces."""
    even = np.pad(image, [(0, n % 2) for n in image.shape], mode="edge").astype(np.uint16)
    for axis in range(3):
        pairs = np.moveaxis(even, axis, 0)
        even = np.moveaxis(pairs[::2] + pairs[1::2], 0, axis)
    return ((even + 4) >> 3).astype(np.uint8)


def _write_scale(directory: Path, image: Image, resolution_nm: int) -> None:
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
            "jpeg_quality": _JPEG_QUALITY,
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
    except ValueError as error:  # tensorstore's word for any failure, a full disk included
        raise OSError(str(error).partition(" [")[0]) from error
