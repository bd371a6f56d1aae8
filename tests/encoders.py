"""Encodes arrays `[x, y, z, c]` as chunks with third-party libraries."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import compressed_segmentation
import compresso
import crackle
import fpzip
import imagecodecs
import numpy as np
import simplejpeg
import zfpc
from numpy.typing import NDArray

Voxels = NDArray[Any]

LABEL_BLOCK = (8, 8, 8)


def rows(voxels: Voxels) -> Voxels:
    """Return a chunk as an image `[row, x, c]`, its planes stacked vertically; `[row, x]` for one channel."""
    x, y, z, c = voxels.shape
    pixels = np.ascontiguousarray(voxels.transpose(2, 1, 0, 3)).reshape(z * y, x, c)
    return pixels[..., 0] if c == 1 else pixels


def _jpeg(voxels: Voxels) -> bytes:
    pixels = rows(voxels)
    if pixels.ndim == 2:
        return bytes(simplejpeg.encode_jpeg(pixels[..., None], 95, "GRAY"))
    return bytes(simplejpeg.encode_jpeg(pixels, 95, "RGB", "444"))


def _png(voxels: Voxels) -> bytes:
    """Encode into a buffer of our own, because the library's is too small for noise in narrow images."""
    pixels = rows(voxels)
    return bytes(imagecodecs.png_encode(pixels, out=4 * pixels.nbytes + 4096))


def _compressed_segmentation(voxels: Voxels) -> bytes:
    """Encode each channel on its own; concatenate them after a table of their offsets."""
    parts = [
        compressed_segmentation.compress(np.asfortranarray(voxels[..., c]), block_size=LABEL_BLOCK, order="F")
        for c in range(voxels.shape[3])
    ]
    starts = [len(parts)]
    for part in parts:
        starts.append(starts[-1] + len(part) // 4 - 1)
    return np.array(starts[:-1], "<u4").tobytes() + b"".join(part[4:] for part in parts)


def _kempressed(voxels: Voxels) -> bytes:
    swapped = np.asfortranarray(np.float32(2) + np.swapaxes(voxels, 2, 3))
    return bytes(fpzip.compress(swapped, order="F"))


ENCODERS: Mapping[str, Callable[[Voxels], bytes]] = MappingProxyType(
    {
        "raw": lambda voxels: voxels.tobytes("F"),
        "jpeg": _jpeg,
        "png": _png,
        "jxl": lambda voxels: bytes(imagecodecs.jpegxl_encode(rows(voxels), lossless=True)),
        "compressed_segmentation": _compressed_segmentation,
        "compresso": lambda voxels: bytes(compresso.compress(np.asfortranarray(voxels[..., 0]))),
        "crackle": lambda voxels: bytes(crackle.compress(np.asfortranarray(voxels[..., 0]))),
        "fpzip": lambda voxels: bytes(fpzip.compress(np.asfortranarray(voxels), order="F")),
        "kempressed": _kempressed,
        "zfpc": lambda voxels: bytes(zfpc.compress(np.asfortranarray(voxels))),
    }
)

COMBINATIONS: tuple[tuple[str, str, int], ...] = (
    *(
        ("raw", data_type, channels)
        for data_type in ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "float32")
        for channels in (1, 2, 3, 4)
    ),
    *(("jpeg", "uint8", channels) for channels in (1, 3)),
    *(("png", data_type, channels) for data_type in ("uint8", "uint16") for channels in (1, 2, 3, 4)),
    *(("jxl", "uint8", channels) for channels in (1, 3, 4)),
    *(
        ("compressed_segmentation", data_type, channels)
        for data_type in ("uint32", "uint64")
        for channels in (1, 2)
    ),
    *(
        (encoding, data_type, 1)
        for encoding in ("compresso", "crackle")
        for data_type in ("uint8", "uint16", "uint32", "uint64")
    ),
    *((encoding, "float32", channels) for encoding in ("fpzip", "kempressed", "zfpc") for channels in (1, 3)),
    ("zfpc", "int32", 1),
)
"""Encoding, data type and channels: everything the format allows, except larger numbers of channels."""

TOLERANCES: Mapping[str, float] = MappingProxyType({"jpeg": 4, "kempressed": 3e-7})
"""Largest error of decoded values for lossy encodings; 0 for the others."""


LABEL_TYPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "raw": ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
        "png": ("uint8", "uint16"),
        "compressed_segmentation": ("uint64", "uint64", "uint32"),
        "compresso": ("uint8", "uint16", "uint32", "uint64"),
        "crackle": ("uint8", "uint16", "uint32", "uint64"),
    }
)
"""The data types of labels that each encoding can hold."""


def draw_labels(size: tuple[int, int, int], data_type: str, number: int, seed: int = 0) -> Voxels:
    """Return at most *number* labels `[x, y, z]` in ragged cells, some of them large; never 0."""
    rng = np.random.default_rng(seed)
    bounds = np.iinfo(data_type)
    labels = rng.integers(bounds.min, bounds.max, number, data_type, endpoint=True)
    labels[:2] = [bounds.max, bounds.min or bounds.max - 1][:number]
    labels[labels == 0] = 1
    x, y, z = np.meshgrid(*(np.arange(n) for n in size), indexing="ij", sparse=True)
    waves = (x + np.sin(y / 5) * 3) // 9, (y + np.sin(z / 4) * 3) // 7, (z + np.sin(x / 6) * 3) // 8
    cells = sum(factor * wave.astype(np.int64) for factor, wave in zip((1, 13, 101), waves, strict=True))
    return np.asarray(labels[cells % number])


def draw_voxels(size: tuple[int, int, int], data_type: str, channels: int, seed: int = 0) -> Voxels:
    """Return smooth voxels that span their type's range without zero; floats are between 0 and 1."""
    x, y, z = (np.arange(n) for n in size)
    wave = np.sin(x / 7 + seed)[:, None, None] + np.sin(y / 9)[None, :, None] + np.sin(z / 5)[None, None, :]
    values = np.stack([(wave + 3.2 + 0.3 * c) / 8 for c in range(channels)], axis=-1)
    dtype = np.dtype(data_type)
    if dtype.kind == "f":
        return values.astype(dtype)
    least, most = (int(bound) for bound in (np.iinfo(dtype).min, np.iinfo(dtype).max))
    drawn = (values * (float(most) - least) * 0.99 + least).astype(dtype)
    drawn[drawn == 0] = 1
    return drawn
