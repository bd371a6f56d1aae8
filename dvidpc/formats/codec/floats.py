"""fpzip, kempressed and zfpc chunks; their libraries may crash on malformed data, so isolate the decoders."""

import math
import struct
from collections.abc import Iterator
from importlib import import_module
from itertools import product

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.codec.chunk_shape import ChunkShape
from dvidpc.formats.data_types import Voxels

XYZC = tuple[int, int, int, int]

_KEMPRESSED_SHIFT = np.float32(2)
_ZFPC_HEAD = struct.Struct("<4sBB4IB")
_ZFP_TYPES = {1: "int32", 3: "float32"}


def decode_fpzip(data: bytes, shape: ChunkShape) -> Voxels:
    """Return the voxels of an fpzip chunk."""
    x, y, z = shape.size
    return _decode_fpzip(data, (x, y, z, shape.num_channels)).T


def decode_kempressed(data: bytes, shape: ChunkShape) -> Voxels:
    """Return the voxels of a kempressed chunk: fpzip of the values plus 2, with axes z and c swapped."""
    x, y, z = shape.size
    array = _decode_fpzip(data, (x, y, shape.num_channels, z))
    voxels: Voxels = np.swapaxes(array, 2, 3).T - _KEMPRESSED_SHIFT
    return voxels


def _decode_fpzip(data: bytes, expected: XYZC) -> Voxels:
    size = read_fpzip_size(data)
    if size != expected:
        raise FormatError(f"fpzip chunk has {size} values, not {expected}")
    array: Voxels = import_module("fpzip").decompress(data, order="F")
    if array.shape != expected or array.dtype != np.float32:
        raise FormatError(
            f"fpzip chunk has shape {array.shape} and type {array.dtype}, not {expected} and float32"
        )
    return array


def read_fpzip_size(data: bytes) -> XYZC:
    """Return the extents from the header, which is range coded like the data (fpzip 1.3, `read.cpp`).

    Raises:
        FormatError: *data* does not start with an fpzip header.
    """
    decoder = _RangeDecoder(data)
    if [decoder.take(8) for _ in range(4)] != list(b"fpz\0"):
        raise FormatError("malformed fpzip chunk: no fpzip header")
    for bits in (16, 8, 1, 7):  # major version, minor version, type, precision
        decoder.take(bits)
    x, y, z, channels = (decoder.take(16) | decoder.take(16) << 16 for _ in range(4))
    return x, y, z, channels


class _RangeDecoder:
    """Decodes uniformly distributed integers from a range coded stream (fpzip 1.3, `rcdecoder.inl`)."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 4
        self._code = int.from_bytes(data[:4], "big")
        self._low = 0
        self._range = 0xFFFFFFFF

    def take(self, bits: int) -> int:
        self._range >>= bits
        number = ((self._code - self._low) & 0xFFFFFFFF) // self._range
        self._low = (self._low + number * self._range) & 0xFFFFFFFF
        self._normalize()
        return number & ((1 << bits) - 1)

    def _normalize(self) -> None:
        while not (self._low ^ (self._low + self._range)) & 0xFF000000 or self._range < 0x10000:
            if self._range < 0x10000 and (self._low ^ (self._low + self._range)) & 0xFF000000:
                self._shift(2)
                self._range = -self._low & 0xFFFFFFFF
                return
            self._shift(1)
            self._range = (self._range << 8) & 0xFFFFFFFF

    def _shift(self, count: int) -> None:
        for _ in range(count):
            byte = self._data[self._position] if self._position < len(self._data) else 0
            self._position += 1
            self._code = (self._code << 8 | byte) & 0xFFFFFFFF
            self._low = self._low << 8 & 0xFFFFFFFF


def decode_zfpc(data: bytes, shape: ChunkShape) -> Voxels:
    """Return the voxels of a zfpc chunk: one zfp stream for each position along the uncorrelated axes.

    This does not use the zfpc package, which returns int32 as float32 and so loses 8 bits.
    """
    zfpy = import_module("zfpy")
    expected: XYZC = (*shape.size, shape.num_channels)
    correlated = _check_zfpc_header(data, expected)
    planes = [
        range(n) if not is_one else (slice(None),) for n, is_one in zip(expected, correlated, strict=True)
    ]
    places = [place[::-1] for place in product(*reversed(planes))]
    extent = tuple(n if is_one else 1 for n, is_one in zip(expected, correlated, strict=True))
    target = np.empty(expected, shape.dtype, order="F")
    for place, stream in zip(places, _zfp_streams(data, len(places)), strict=True):
        _check_zfp_header(stream, math.prod(extent), shape)
        values = zfpy.decompress_numpy(stream)
        if values.size != math.prod(extent) or values.dtype != shape.dtype:
            raise FormatError("malformed zfpc chunk: a stream does not match its header")
        target[place] = values.reshape(target[place].shape)
    return target.T


def _check_zfpc_header(data: bytes, expected: XYZC) -> tuple[bool, ...]:
    """Check the header; return for each axis whether it is correlated, that is, lies within one stream."""
    if len(data) < _ZFPC_HEAD.size:
        raise FormatError(f"truncated zfpc chunk: {len(data)} bytes")
    magic, version, _, x, y, z, channels, correlated = _ZFPC_HEAD.unpack_from(data)
    if magic != b"zfpc" or version != 0:
        raise FormatError("malformed zfpc chunk: no zfpc header of version 0")
    if (x, y, max(z, 1), max(channels, 1)) != expected:
        raise FormatError(f"zfpc chunk has {(x, y, z, channels)} values, not {expected}")
    return tuple(bool(correlated >> axis & 1) for axis in range(4))


def _zfp_streams(data: bytes, count: int) -> Iterator[bytes]:
    """Yield the zfp streams of a zfpc chunk; its index holds the first offset and the size of each stream."""
    index = data[_ZFPC_HEAD.size :][: 8 * (count + 1)]
    if len(index) != 8 * (count + 1):
        raise FormatError("truncated zfpc chunk: the index is incomplete")
    position, *sizes = struct.unpack(f"<{count + 1}Q", index)
    if position + sum(sizes) > len(data):
        raise FormatError("truncated zfpc chunk: the streams are incomplete")
    for size in sizes:
        yield data[position : position + size]
        position += size


def _check_zfp_header(stream: bytes, expected: int, shape: ChunkShape) -> None:
    """Check type and extent of a zfp stream before memory is allocated (zfp 1.0, `zfp_field_metadata`)."""
    if not stream.startswith(b"zfp") or len(stream) < 12:
        raise FormatError("malformed zfpc chunk: a stream has no zfp header")
    field = int.from_bytes(stream[4:12], "little")
    axes = (field >> 2 & 3) + 1
    bits = 48 // axes
    count = math.prod((field >> (4 + bits * axis) & (1 << bits) - 1) + 1 for axis in range(axes))
    if count != expected or _ZFP_TYPES.get((field & 3) + 1) != shape.data_type:
        raise FormatError(
            f"malformed zfpc chunk: a stream does not have {expected} values of {shape.data_type}"
        )
