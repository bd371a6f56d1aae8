"""Voxel data types and arrays of voxels, whatever format they are stored in."""

from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Voxels: TypeAlias = NDArray[Any]
"""An array of voxels; names and docstrings state the order of its axes."""


class DataType(StrEnum):
    """The type of one value of a voxel."""

    UINT8 = "uint8"
    INT8 = "int8"
    UINT16 = "uint16"
    INT16 = "int16"
    UINT32 = "uint32"
    INT32 = "int32"
    UINT64 = "uint64"
    INT64 = "int64"
    FLOAT32 = "float32"

    @property
    def itemsize(self) -> int:
        """Bytes of one voxel of one channel."""
        return _ITEMSIZES[self]


_ITEMSIZES: Final = MappingProxyType({one: int(one.value.lstrip("uintfloa")) // 8 for one in DataType})


def widen(voxels: Voxels, data_type: DataType) -> Voxels:
    """Return integers as a wider unsigned type, bit for bit: -1 of int32 becomes 2^32 - 1."""
    unsigned = voxels.view(f"<u{voxels.dtype.itemsize}")
    return unsigned.astype(np.dtype(data_type.value).newbyteorder("<"), copy=False)
