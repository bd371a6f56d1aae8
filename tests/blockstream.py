"""Read a block stream as a client does: written from DVID's documentation, without our own code."""

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray

XYZ = tuple[int, int, int]


def parse_stream(body: bytes) -> list[tuple[XYZ, bytes]]:
    """Return the blocks of a stream in order; fail on trailing or missing bytes."""
    return list(_frames(body))


def grey_block(payload: bytes, side: int = 64) -> NDArray[Any]:
    """Return the voxels `[x, y, z]` of a grayscale JPEG payload."""
    pixels: NDArray[Any] = simplejpeg.decode_jpeg(payload, colorspace="GRAY")
    return pixels.reshape(side, side, side).transpose(2, 1, 0)


def raw_block(payload: bytes, dtype: str = "uint8", side: int = 64) -> NDArray[Any]:
    """Return the voxels `[x, y, z]` of an uncompressed payload with one value per voxel."""
    return np.frombuffer(payload, dtype).reshape(side, side, side).transpose(2, 1, 0)


def _frames(body: bytes) -> Iterator[tuple[XYZ, bytes]]:
    position = 0
    while position < len(body):
        x, y, z, size = struct.unpack_from("<4i", body, position)
        position += 16
        assert 0 < size <= len(body) - position, f"block {x},{y},{z} claims {size} bytes"
        yield (x, y, z), body[position : position + size]
        position += size
