"""Blocks of N5: a header that says how large the block is, and its voxels, big-endian and x fastest.

(N5 specification 4.0.0, README section "File-system specification", item 7)
"""

import math
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.compressors import Compression, decompress, max_compressed_size
from dvidpc.formats.codec import ChunkShape, max_encoded_size
from dvidpc.formats.codec.jpeg import decode_jpeg
from dvidpc.formats.data_types import DataType, Voxels
from dvidpc.formats.precomputed.info import Encoding
from dvidpc.types import Point

_DEFAULT: Final = 0
_VARIABLE: Final = 1
"""A block whose number of elements is given; read if it is that of plain voxels."""
_MODES: Final = ("default", "variable length", "object")
_FIXED_HEADER: Final = 4
_NUMBER: Final = 4


@dataclass(frozen=True)
class N5Codec:
    """A `ChunkCodec` of N5."""

    shape: tuple[int, ...]
    """`blockSize`, fastest first."""
    dtype: np.dtype[Any]
    """Of stored numbers, big-endian."""
    compressions: tuple[Compression, ...]
    is_jpeg: bool = False
    """Whether a block is a grey JPEG, as wide as the block and as tall as its rows together (n5-jpeg)."""

    @cached_property
    def max_encoded_size(self) -> int:
        """As `ChunkCodec.max_encoded_size`."""
        header = _FIXED_HEADER + _NUMBER * (len(self.shape) + 1)
        if self.is_jpeg:
            return header + max_encoded_size(Encoding.JPEG, _image_shape(self.shape))
        return header + max_compressed_size(math.prod(self.shape) * self.dtype.itemsize, self.compressions)

    def decode(self, data: bytes) -> Voxels:
        """As `ChunkCodec.decode`. A block that is shorter than `blockSize` is filled up with zeros.

        Java and z5 clip blocks at the end of the array, others do not, and an array that has grown has short
        blocks inside.  (zarr-extensions codec "n5_default")
        """
        size, start = _parse_header(data, self.shape)
        stored = self._decode_payload(memoryview(data)[start:], size).transpose()
        if size == self.shape:
            return stored
        whole = np.zeros(self.shape, self.dtype, order="F")
        whole[tuple(map(slice, size))] = stored
        return whole

    def _decode_payload(self, payload: memoryview, size: tuple[int, ...]) -> Voxels:
        """Return the voxels of a block, slowest dimension first."""
        if self.is_jpeg:
            return decode_jpeg(bytes(payload), _image_shape(size)).reshape(size[::-1])
        raw = decompress(payload, self.compressions, math.prod(size) * self.dtype.itemsize)
        return np.frombuffer(raw, self.dtype).reshape(size[::-1])


def _image_shape(size: tuple[int, ...]) -> ChunkShape:
    return ChunkShape(Point(size[0], math.prod(size[1:]), 1), 1, DataType.UINT8)


def _parse_header(data: bytes, block_size: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """Return how large a block is, fastest first, and where its payload starts.

    Raises:
        FormatError: The header is cut short, does not fit the array, or announces no plain voxels.
    """
    rank = len(block_size)
    end = _FIXED_HEADER + _NUMBER * rank
    if len(data) < end:
        raise FormatError(f"{len(data)} bytes are too few for the header of an N5 block")
    mode, found_rank, *numbers = struct.unpack_from(f">2H{rank}I", data)
    if mode not in (_DEFAULT, _VARIABLE):
        kind = _MODES[mode] if mode < len(_MODES) else str(mode)
        raise FormatError(f"N5 block has the mode {kind!r}, which is not supported")
    size = tuple(numbers)
    fits = all(0 < n <= most for n, most in zip(size, block_size, strict=True))
    if found_rank != rank or not fits:
        raise FormatError(
            f"N5 block is {list(size)} in {found_rank} dimensions; blockSize is {list(block_size)}"
        )
    if mode == _VARIABLE:
        elements = int.from_bytes(data[end : end + _NUMBER], "big")
        if len(data) < end + _NUMBER or elements != math.prod(size):
            raise FormatError(
                f"N5 block of variable length has {elements:,} elements, not one for each voxel"
            )
        end += _NUMBER
    return size, end
