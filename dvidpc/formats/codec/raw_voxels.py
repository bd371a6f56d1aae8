"""Uncompressed voxels: `raw` chunks and uncompressed payloads."""

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.codec.chunk_shape import ChunkShape
from dvidpc.formats.data_types import Voxels


def decode_raw(data: bytes, shape: ChunkShape) -> Voxels:
    """Return the voxels of a raw chunk, sharing memory with *data*.

    They are stored little-endian, x fastest and channel slowest.
    """
    if len(data) != shape.nbytes:
        raise FormatError(f"raw chunk has {len(data)} bytes, not {shape.nbytes}")
    return np.frombuffer(data, dtype=shape.dtype).reshape(shape.czyx)


def encode_raw(block_zyxv: Voxels) -> bytes:
    """Return the voxels of a block in DVID's order: x fastest, the values of a voxel together.

    Args:
        block_zyxv: `[z, y, x, value]`, or `[z, y, x]` if each voxel has one value; little-endian.
    """
    return block_zyxv.tobytes()
