"""compressed_segmentation chunks from several writers, and a reader that follows the specification."""

import itertools
import math
import struct
from collections.abc import Sequence

import compressed_segmentation
import numpy as np
import tensorstore
from numpy.typing import NDArray

from dvidpc.types import Point

Voxels = NDArray[np.unsignedinteger]

CUBE = Point(64, 64, 64)
EIGHT = Point(8, 8, 8)
LARGE_LABELS = (2**53 + 1, 2**63 + 7, 2**64 - 1)


def draw_cells(num_labels: int, size: Point = CUBE, dtype: str = "uint64", seed: int = 1) -> Voxels:
    """Return smooth cells `[z, y, x]`, as neurons look; some labels are large."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(1, np.iinfo(dtype).max, num_labels, dtype, endpoint=True)
    labels[: len(LARGE_LABELS)] = [label & int(np.iinfo(dtype).max) for label in LARGE_LABELS[:num_labels]]
    centres = rng.uniform(-0.1, 1.1, (num_labels, 3)) * size[::-1]
    zyx = np.moveaxis(np.indices(size[::-1], np.float32), 0, -1)
    nearest = np.full(size[::-1], np.inf)
    cells = np.zeros(size[::-1], dtype)
    for label, centre in zip(labels, centres, strict=True):
        distance = ((zyx + 2 * np.sin(zyx[..., [1, 2, 0]] / 5) - centre) ** 2).sum(-1)
        cells[distance < nearest] = label
        np.minimum(nearest, distance, out=nearest)
    return cells


def write_with_library(voxels_zyx: Voxels, sub_block: Point = EIGHT) -> bytes:
    """Return a chunk that the library compressed_segmentation wrote, as cloud-volume and igneous do."""
    flat = np.asfortranarray(voxels_zyx.T)
    return bytes(compressed_segmentation.compress(flat, block_size=tuple(sub_block), order="F"))


def write_with_tensorstore(voxels_zyx: Voxels, sub_block: Point = EIGHT) -> bytes:
    """Return the only chunk of a volume that tensorstore wrote."""
    size = list(voxels_zyx.shape[::-1])
    spec = {
        "driver": "neuroglancer_precomputed",
        "kvstore": {"driver": "memory"},
        "store_data_equal_to_fill_value": True,
        "multiscale_metadata": {
            "type": "segmentation",
            "data_type": str(voxels_zyx.dtype),
            "num_channels": 1,
        },
        "scale_metadata": {
            "size": size,
            "chunk_size": size,
            "resolution": [8, 8, 8],
            "encoding": "compressed_segmentation",
            "compressed_segmentation_block_size": list(sub_block),
        },
    }
    volume = tensorstore.open(spec, create=True, context=tensorstore.Context()).result()
    volume[...] = voxels_zyx.T[..., None]
    store = volume.kvstore
    assert store is not None
    (key,) = [key for key in store.list().result() if key != b"info" and not key.endswith(b"/info")]
    return bytes(store.read(key).result().value)


def write_by_hand(
    voxels_zyx: Voxels,
    sub_block: Point,
    widths: Sequence[int] = (),
    *,
    padding: int = 0,
    share_all: bool = False,
    gap: int = 0,
) -> bytes:
    """Return a chunk with features that the usual writers do not use.

    Args:
        voxels_zyx: The labels.
        sub_block: Voxels of a sub-block.
        widths: The least width of each sub-block, in turn; the narrowest that suffices if empty.
        padding: The index that padding gets, modulo 2 to the power of the width.
        share_all: Whether all sub-blocks share one table of all labels.
        gap: Words of rubbish before each part.
    """
    step = voxels_zyx.itemsize // 4
    grid = [-(-n // b) for n, b in zip(voxels_zyx.shape[::-1], sub_block, strict=True)]
    headers: list[int] = []
    body: list[int] = []
    start = 2 * math.prod(grid)
    everything = np.unique(voxels_zyx).tolist()
    shared: int | None = None
    for number, (gz, gy, gx) in enumerate(itertools.product(*map(range, reversed(grid)))):
        corner = [g * b for g, b in zip((gz, gy, gx), reversed(sub_block), strict=True)]
        window = tuple(slice(c, c + b) for c, b in zip(corner, reversed(sub_block), strict=True))
        part = voxels_zyx[window]
        table = everything if share_all else np.unique(part).tolist()
        least = widths[number % len(widths)] if widths else 0
        width = next(w for w in (0, 1, 2, 4, 8, 16, 32) if w >= least and len(table) <= 1 << w)
        indexes = np.full(sub_block[::-1], padding % (1 << width), np.int64)
        indexes[tuple(slice(n) for n in part.shape)] = np.searchsorted(table, part)
        body += [0xDEADBEEF] * gap
        values = start + len(body)
        bits = indexes.reshape(-1, 1) >> np.arange(width) & 1
        packed = np.packbits(bits.astype(np.uint8), bitorder="little").tobytes()
        packed += bytes(-len(packed) % 4)
        body += struct.unpack(f"<{len(packed) // 4}I", packed)
        body += [0xDEADBEEF] * gap
        if shared is None or not share_all:
            shared = start + len(body)
            for label in table:
                body += [label & 0xFFFFFFFF, label >> 32][:step]
        headers += [shared | width << 24, values]
    words = [1, *headers, *body]
    return struct.pack(f"<{len(words)}I", *words)


def read_by_the_book(data: bytes, size: Point, sub_block: Point, itemsize: int) -> list[int] | None:
    """Return the labels, x fastest, one voxel at a time; None if a part of the chunk lies outside *data*."""
    words = struct.unpack(f"<{len(data) // 4}I", data) if len(data) % 4 == 0 else ()
    if words[:1] != (1,):
        return None
    channel, step = words[1:], itemsize // 4
    grid = [-(-n // b) for n, b in zip(size, sub_block, strict=True)]
    if len(channel) < 2 * math.prod(grid):
        return None
    for number in range(math.prod(grid)):
        width, values = channel[2 * number] >> 24, channel[2 * number + 1]
        end = values + -(-width * math.prod(sub_block) // 32)
        if width not in (0, 1, 2, 4, 8, 16, 32) or (width and end > len(channel)):
            return None
    labels = []
    for z, y, x in itertools.product(*map(range, reversed(size))):
        number = x // sub_block.x + grid[0] * (y // sub_block.y + grid[1] * (z // sub_block.z))
        at = x % sub_block.x + sub_block.x * (y % sub_block.y + sub_block.y * (z % sub_block.z))
        table, width, values = (
            channel[2 * number] & 0xFFFFFF,
            channel[2 * number] >> 24,
            channel[2 * number + 1],
        )
        word = channel[values + at * width // 32] if width else 0
        entry = table + step * (word >> at * width % 32 & (1 << width) - 1)
        if entry + step > len(channel):
            return None
        labels.append(channel[entry] | (channel[entry + 1] << 32 if step > 1 else 0))
    return labels


def read_google(data: bytes, size: Sequence[int]) -> NDArray[np.uint64]:
    """Return the labels `[z, y, x]` of a chunk of uint64 with sub-blocks of 8 voxels, by the library."""
    voxels = compressed_segmentation.decompress(
        data, tuple(size), dtype=np.uint64, block_size=EIGHT, order="F"
    )
    return np.asarray(voxels).reshape(tuple(size), order="F").T
