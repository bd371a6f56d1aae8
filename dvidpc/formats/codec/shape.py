"""What a chunk must hold once decoded, and how pixels of an image become the voxels of a chunk."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.info import DataType
from dvidpc.types import Point

Voxels = NDArray[Any]


class ChunkShape(NamedTuple):
    """What a chunk must hold once decoded."""

    size: Point
    """Voxels along x, y and z, clipped at the volume's upper end."""
    num_channels: int
    data_type: DataType
    label_block: Point | None = None
    """Of `compressed_segmentation` only: the blocks into which it cuts the chunk."""

    @property
    def czyx(self) -> tuple[int, int, int, int]:
        """The shape of the decoded array."""
        return self.num_channels, self.size.z, self.size.y, self.size.x

    @property
    def num_voxels(self) -> int:
        """How many voxels a channel has."""
        return math.prod(self.size)

    @property
    def nbytes(self) -> int:
        """Bytes of the decoded array."""
        return self.num_voxels * self.num_channels * self.data_type.itemsize

    @property
    def dtype(self) -> np.dtype[Any]:
        """The decoded array's type, little-endian."""
        return np.dtype(self.data_type.value).newbyteorder("<")

    @property
    def max_encoded_size(self) -> int:
        """Bytes beyond which an encoded chunk is surely damaged: no codec triples its input.

        compressed_segmentation with a table of its own for each small block may double it.
        """
        return 3 * self.nbytes + 65_536


def check_pixels(kind: str, width: int, height: int, shape: ChunkShape) -> None:
    """Compare an image's header with the chunk it stands for: any width will do whose product is right.

    Raises:
        FormatError: The image has more or fewer pixels than the chunk has voxels.
    """
    if width * height != shape.num_voxels:
        raise FormatError(f"{kind} has {width}x{height} pixels, not {shape.num_voxels} voxels")


def pixels_to_voxels(pixels: Voxels, shape: ChunkShape) -> Voxels:
    """An image's rows, one after the other, are the voxels of the chunk, x fastest; no copy is made.

    Raises:
        FormatError: The image is not what its header promised.
    """
    expected = shape.num_voxels * shape.num_channels
    if pixels.size != expected or pixels.dtype != shape.dtype:
        raise FormatError(
            f"decoded image holds {pixels.size} values of {pixels.dtype}, not {expected} of {shape.data_type}"
        )
    return np.moveaxis(pixels.reshape(*shape.czyx[1:], shape.num_channels), -1, 0)
