"""Decode the payloads and bodies of labels with other people's code."""

import gzip

import lz4.block
import numpy as np
from numpy.typing import NDArray

from tests.label_chunks import read_google
from tests.recorded_labels import read_labels_block
from tests.volumes import XYZ

_BLOCK_NBYTES = 64**3 * 8

Labels = NDArray[np.uint64]


def read_block(payload: bytes, compression: str) -> Labels:
    """Return the labels `[z, y, x]` of a block of at most 64 voxels a side."""
    match compression:
        case "blocks":
            return read_labels_block(gzip.decompress(payload))
        case "lz4":
            payload = lz4.block.decompress(payload, _BLOCK_NBYTES)
        case "gzip":
            payload = gzip.decompress(payload)
    side = round((len(payload) // 8) ** (1 / 3))
    return np.frombuffer(payload, "<u8").reshape(side, side, side)


def read_body(body: bytes, compression: str, size: XYZ) -> Labels:
    """Return the labels `[z, y, x]` of a 3-D `raw`."""
    match compression:
        case "lz4":
            body = lz4.block.decompress(body, size[0] * size[1] * size[2] * 8)
        case "gzip":
            body = gzip.decompress(body)
        case "google":
            return read_google(body, size)
        case "googlegzip":
            return read_google(gzip.decompress(body), size)
    return np.frombuffer(body, "<u8").reshape(size[::-1])
