"""Oblique planes, and the values that DVID's documentation gives their pixels."""

import itertools

import numpy as np

from tests.volumes import VolumeSpec, Voxels

Vector = tuple[float, float, float]


def value_at(truth: Voxels, spec: VolumeSpec, resolution: Vector, place: Vector) -> float:
    """Return the value of a pixel: trilinear interpolation of the 8 voxels around it."""
    position = [p / r - o for p, r, o in zip(place, resolution, spec.offset, strict=True)]
    if not all(-2 < p < n + 2 for p, n in zip(position, spec.size, strict=True)):
        return 0
    below = [int(np.floor(p)) for p in position]
    total = 0.0
    for corner in itertools.product((0, 1), repeat=3):
        voxel = tuple(b + c for b, c in zip(below, corner, strict=True))
        weight = np.prod([1 - abs(p - v) for p, v in zip(position, voxel, strict=True)])
        if all(0 <= v < n for v, n in zip(voxel, spec.size, strict=True)):
            total += float(weight) * float(truth[*voxel, 0])
    return total


def pixel_place(
    plane: tuple[Vector, Vector, Vector, float], extent: tuple[int, int], at: tuple[int, int]
) -> Vector:
    """Return the position of a pixel (column, row) of an image of *extent*."""
    corner, right, down, _ = plane
    x, y, z = (
        a + (b - a) * at[0] / max(extent[0] - 1, 1) + (c - a) * at[1] / max(extent[1] - 1, 1)
        for a, b, c in zip(corner, right, down, strict=True)
    )
    return x, y, z


def path_of(plane: tuple[Vector, Vector, Vector, float]) -> str:
    """Return the part of an `arb` path that describes a plane."""
    return "/".join(["_".join(map(repr, corner)) for corner in plane[:3]] + [repr(plane[3])])
