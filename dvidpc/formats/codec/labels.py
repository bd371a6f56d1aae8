"""compresso and crackle chunks. Their libraries trust the data: decode where a crash does no harm."""

import struct
from typing import Any

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.codec.shape import ChunkShape, Voxels


def decode_compresso(data: bytes, shape: ChunkShape) -> Voxels:
    """The voxels of a compresso chunk."""
    import compresso  # noqa: PLC0415 - optional

    _check_header("compresso", b"cpso", data, struct.Struct("<4sxB3H"), shape)
    return _as_voxels("compresso", compresso.decompress(data), shape)


def decode_crackle(data: bytes, shape: ChunkShape) -> Voxels:
    """The voxels of a crackle chunk."""
    import crackle  # noqa: PLC0415 - optional

    _check_header("crackle", b"crkl", data, struct.Struct("<4sxH3I"), shape)
    return _as_voxels("crackle", crackle.decompress(data, parallel=1), shape)


def _check_header(kind: str, magic: bytes, data: bytes, layout: struct.Struct, shape: ChunkShape) -> None:
    """Compare magic and extent of a chunk, which both formats begin with, before memory is taken."""
    if len(data) < layout.size:
        raise FormatError(f"damaged {kind}: {len(data)} bytes")
    found, _, *size = layout.unpack_from(data)
    if found != magic:
        raise FormatError(f"damaged {kind}: it does not begin as one")
    if tuple(size) != shape.size:
        raise FormatError(f"{kind} chunk of {tuple(size)} voxels, not {tuple(shape.size)}")


def _as_voxels(kind: str, labels: "np.ndarray[Any, np.dtype[Any]]", shape: ChunkShape) -> Voxels:
    """`[x, y, z]` to voxels; signed types are stored as unsigned ones of the same width."""
    if labels.shape != shape.size or labels.dtype.kind not in "ui" or labels.itemsize != shape.dtype.itemsize:
        raise FormatError(
            f"{kind} chunk of {labels.shape} x {labels.dtype}, not {tuple(shape.size)} x {shape.data_type}"
        )
    return np.asfortranarray(labels).T.view(shape.dtype)[None]
