"""`raw` chunks, and payloads without compression."""

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.codec.shape import ChunkShape, Voxels


def decode_raw(data: bytes, shape: ChunkShape) -> Voxels:
    """The voxels of a raw chunk: little-endian, x fastest, channel slowest; shares memory with *data*."""
    if len(data) != shape.nbytes:
        raise FormatError(f"raw chunk holds {len(data)} bytes, not {shape.nbytes}")
    return np.frombuffer(data, dtype=shape.dtype).reshape(shape.czyx)


def encode_raw(block_zyxv: Voxels) -> bytes:
    """The voxels of a block as DVID lists them: x fastest, little-endian, values of a voxel together.

    Args:
        block_zyxv: `[z, y, x, value]`, or `[z, y, x]` where a voxel has one value.
    """
    return block_zyxv.tobytes()
