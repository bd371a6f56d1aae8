"""compresso and crackle chunks; their libraries may crash on malformed data, so isolate the decoders."""

import math
import struct
from importlib import import_module
from types import ModuleType
from typing import Any, Final

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.codec.chunk_shape import ChunkShape
from dvidpc.formats.data_types import Voxels

_COMPRESSO_HEADER_SIZE: Final = 36
_SUM_SIZE: Final = 4
"""Bytes of a checksum in crackle."""


def decode_compresso(data: bytes, shape: ChunkShape) -> Voxels:
    """Return the voxels of a compresso chunk."""
    _check_header("compresso", b"cpso", data, struct.Struct("<4sxB3H"), shape)
    compresso = import_module("compresso")
    _check_windows(compresso, data)
    return _as_voxels("compresso", compresso.decompress(data), shape)


def decode_crackle(data: bytes, shape: ChunkShape) -> Voxels:
    """Return the voxels of a crackle chunk."""
    _check_header("crackle", b"crkl", data, struct.Struct("<4sxH3I"), shape)
    _check_length(data)
    return _as_voxels("crackle", import_module("crackle").decompress(data, parallel=1), shape)


def _check_header(kind: str, magic: bytes, data: bytes, layout: struct.Struct, shape: ChunkShape) -> None:
    """Check magic and extent, which both formats start with, before memory is allocated."""
    if len(data) < layout.size:
        raise FormatError(f"truncated {kind} chunk: {len(data)} bytes")
    found, _, *size = layout.unpack_from(data)
    if found != magic:
        raise FormatError(f"malformed {kind} chunk: no {kind} header")
    if tuple(size) != shape.size:
        raise FormatError(f"{kind} chunk has {tuple(size)} voxels, not {tuple(shape.size)}")


def _check_windows(compresso: ModuleType, data: bytes) -> None:
    """Check that the windows before the index at the end are as many as the extent needs.

    The library counts from the end, so a chunk that is too long would decode to wrong labels.
    (compresso README.md, "Compresso Stream Format")
    """
    header = compresso.header(data)
    dtype = np.dtype(compresso.window_dtype(header)).newbyteorder("<")
    labels = (header["id_size"] + header["location_size"]) * header["data_width"]
    start = _COMPRESSO_HEADER_SIZE + labels + header["value_size"] * dtype.itemsize
    width = compresso.zindex_byte_width(header["sx"], header["sy"])
    index = 2 * header["sz"] * width if header["format_version"] > 0 else 0
    if index and np.frombuffer(data[-index:], f"<u{width}")[: header["sz"]].sum() != header["id_size"]:
        raise FormatError("malformed compresso chunk: it does not end with the index of its slices")
    length, rest = divmod(len(data) - index - start, dtype.itemsize)
    found = 0
    if length >= 0 and rest == 0:
        windows = np.frombuffer(data, dtype, length, start)
        found = int(np.where(windows & 1, windows >> 1, 1).sum())
    needed = math.prod(-(-header[f"s{axis}"] // header[f"{axis}step"]) for axis in "xyz")
    if found != needed:
        raise FormatError(f"malformed compresso chunk: it has {found} windows, not {needed}")


def _check_length(data: bytes) -> None:
    """Check that a crackle chunk ends where its header and its index say.

    The library counts from the end, so a chunk that is too long would decode to wrong labels.
    (crackle README.md, "Stream Format")
    """
    head = import_module("crackle.headers").CrackleHeader.frombytes(data)
    if head.markov_model_order:  # the length of the model is stored nowhere
        return
    has_sums = head.format_version > 0
    index = data[head.header_bytes : head.header_bytes + head.grid_index_bytes - _SUM_SIZE * has_sums]
    parts = head.header_bytes + head.grid_index_bytes + head.num_label_bytes
    sums = _SUM_SIZE * (head.sz + 1) * has_sums
    needed = parts + int(np.frombuffer(index, "<u4").sum()) + sums
    if len(data) != needed:
        raise FormatError(f"malformed crackle chunk: {len(data)} bytes, not {needed}")


def _as_voxels(kind: str, labels: "np.ndarray[Any, np.dtype[Any]]", shape: ChunkShape) -> Voxels:
    """Return labels `[x, y, z]` as voxels; they may be stored in a narrower type than the volume's.

    Signed types are stored as unsigned types of the same width.
    """
    if labels.shape != shape.size or labels.dtype.kind not in "ui" or labels.itemsize > shape.dtype.itemsize:
        raise FormatError(
            f"{kind} chunk has shape {labels.shape} and type {labels.dtype}, "
            f"not {tuple(shape.size)} and {shape.data_type}"
        )
    widened = np.asfortranarray(labels).astype(f"{labels.dtype.kind}{shape.dtype.itemsize}", copy=False)
    return widened.T.view(shape.dtype)[None]
