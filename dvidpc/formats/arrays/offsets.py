"""Where a level starts, in its own voxels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dvidpc.types import Point

MAX_OFFSET: Final = 2**31
"""Voxels from the origin beyond which no block coordinate reaches."""

_SLACK: Final = 0.01
"""Voxels by which a rounded offset may be off without a word."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Voxel size and position of a level, along x, y and z, in one unit of length."""

    scale: tuple[float, float, float]
    translation: tuple[float, float, float]
    is_centre: bool
    """Whether *translation* is the centre of the first voxel; else it is its corner."""


@dataclass(frozen=True, slots=True)
class Offsets:
    """The first voxel of each level, and what had to be decided about them."""

    levels: tuple[Point, ...]
    warnings: tuple[str, ...]


def find_offsets(placements: Sequence[Placement]) -> Offsets:
    """Return the first voxel of every level, rounded to whole voxels.

    A translation to the centre of the first voxel grows with the voxels of coarser levels. It is reduced by
    half the difference between a voxel of the level and one of the finest. Where all levels have the same
    translation, their writer left that growth out, and it is the corner of all. So pyramids without
    translations and those with centres both start at 0.
    """
    first = placements[0]
    is_growing = any(placement.translation != first.translation for placement in placements)
    exact = [_corner(placement, first, is_growing=is_growing) for placement in placements]
    if any(abs(at) >= MAX_OFFSET for corner in exact for at in corner):
        far = "the volume lies more than 2^31 voxels from the origin, which blocks cannot count"
        return Offsets(
            (Point(0, 0, 0),) * len(exact), (f'{far}: it is served at 0; offset = "ignore" agrees',)
        )
    rounded = tuple(Point(*(math.floor(at + 0.5) for at in corner)) for corner in exact)
    return Offsets(rounded, tuple(_rounding_warning(exact, rounded)))


def _corner(placement: Placement, first: Placement, *, is_growing: bool) -> tuple[float, ...]:
    corner = []
    for scale, finest, translation in zip(placement.scale, first.scale, placement.translation, strict=True):
        half = (scale - finest) / 2 if placement.is_centre and is_growing else 0
        corner.append((translation - half) / scale)
    return tuple(corner)


def _rounding_warning(exact: Sequence[tuple[float, ...]], rounded: Sequence[Point]) -> list[str]:
    off = [
        max(abs(a - b) for a, b in zip(corner, point, strict=True))
        for corner, point in zip(exact, rounded, strict=True)
    ]
    levels = [level for level, distance in enumerate(off) if distance > _SLACK]
    if not levels:
        return []
    which = ", ".join(map(str, levels))
    return [
        f"levels {which} do not start at a whole voxel: rounded, by up to {max(off):.2g} voxels of the level"
    ]
