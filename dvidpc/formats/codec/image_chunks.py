"""Chunks stored as images: an image's pixels, row by row, are the chunk's voxels, x fastest."""

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.codec.chunk_shape import ChunkShape
from dvidpc.formats.data_types import Voxels


def check_pixels(kind: str, width: int, height: int, shape: ChunkShape) -> None:
    """Check the size in an image's header; any width and height with the right product are valid.

    Raises:
        FormatError: The image has more or fewer pixels than the chunk has voxels.
    """
    if width * height != shape.num_voxels:
        raise FormatError(f"{kind} has {width}x{height} pixels, not {shape.num_voxels} voxels")


def pixels_to_voxels(pixels: Voxels, shape: ChunkShape) -> Voxels:
    """Return the voxels `[c, z, y, x]` of a decoded image, without copying.

    Raises:
        FormatError: The image does not match its header.
    """
    expected = shape.num_voxels * shape.num_channels
    if pixels.size != expected or pixels.dtype != shape.dtype:
        raise FormatError(
            f"decoded image has {pixels.size} values of {pixels.dtype}, not {expected} of {shape.data_type}"
        )
    return np.moveaxis(pixels.reshape(*shape.czyx[1:], shape.num_channels), -1, 0)
