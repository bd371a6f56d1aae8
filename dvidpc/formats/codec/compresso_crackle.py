"""compresso and crackle chunks; their libraries may crash on malformed data, so isolate the decoders."""

import struct
from importlib import import_module
from typing import Any

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.codec.chunk_shape import ChunkShape
from dvidpc.formats.data_types import Voxels


def decode_compresso(data: bytes, shape: ChunkShape) -> Voxels:
    """Return the voxels of a compresso chunk."""
    _check_header("compresso", b"cpso", data, struct.Struct("<4sxB3H"), shape)
    return _as_voxels("compresso", import_module("compresso").decompress(data), shape)


def decode_crackle(data: bytes, shape: ChunkShape) -> Voxels:
    """Return the voxels of a crackle chunk."""
    _check_header("crackle", b"crkl", data, struct.Struct("<4sxH3I"), shape)
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
