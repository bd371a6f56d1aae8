"""Configurations that serve arrays, and what clients should see of them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tests.drawn_arrays import Voxels, WrittenArray

XYZ = tuple[int, int, int]
Ints = NDArray[np.integer]


def store_section(name: str, ref: str, keys: Mapping[str, str], engine: str = "zarr") -> str:
    """Return a store of the configuration; *keys* are written as TOML."""
    more = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return f'[store.{name}]\nengine = "{engine}"\nref = "{ref}"\ninstance = "{name}"\n{more}\n'


def engine_of(written: WrittenArray) -> str:
    """Return the engine for an array."""
    return "n5" if written.drawn.format == "n5" else "zarr"


def offset_of(written: WrittenArray) -> XYZ:
    """Return the first voxel; a plane starts at z = 0."""
    x, y, z = written.drawn.offset
    return x, y, z if "z" in written.drawn.axes else 0


def blocks_around(size: XYZ, offset: XYZ, side: int = 64) -> list[XYZ]:
    """Return the blocks that a volume touches, and a ring around them, x fastest."""
    xs, ys, zs = (range(o // side - 1, (o + n - 1) // side + 2) for o, n in zip(offset, size, strict=True))
    return [(x, y, z) for z in zs for y in ys for x in xs]


def cut(zyx: Voxels, offset: XYZ, start: XYZ, size: XYZ) -> Voxels:
    """Return a box `[z, y, x]` of a volume that starts at *offset*; 0 outside of it."""
    box = np.zeros(size[::-1], zyx.dtype)
    places, parts = [], []
    for at, extent, first, length in zip(start, size, offset, zyx.shape[::-1], strict=True):
        low, high = max(at, first), min(at + extent, first + length)
        if low >= high:
            return box
        places.append(slice(low - at, high - at))
        parts.append(slice(low - first, high - first))
    box[tuple(reversed(places))] = zyx[tuple(reversed(parts))]
    return box


def is_equal(ours: Voxels, expected: Voxels) -> bool:
    """Return whether two boxes are the same, bit for bit but for kinds of NaN."""
    return bool(np.array_equal(ours, expected, equal_nan=expected.dtype.kind == "f"))
