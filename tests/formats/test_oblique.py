"""Oblique planes, compared with slices of a volume and with voxels interpolated one by one."""

import itertools
import math

import numpy as np
import pytest

from dvidpc.errors import RequestError
from dvidpc.formats.grid import Grid
from dvidpc.formats.oblique import Patch, Plane, Sampler, patches_of, plane_between
from dvidpc.types import Point

GRID = Grid(Point(12, 11, 10), Point(2, 0, -3), Point(5, 4, 3))
VOLUME = np.random.default_rng(3).integers(0, 256, (10, 11, 12), np.uint8)
"""`[z, y, x]`, from the grid's offset on."""


def draw(plane: Plane, patch: Patch) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None:
    sampler = Sampler(plane, patch, GRID, (1.0, 1.0, 1.0))
    for cell in sampler.cells:
        start, stop = GRID.chunk_box(cell)
        x, y, z = (slice(a - o, b - o) for a, b, o in zip(start, stop, GRID.offset, strict=True))
        sampler.add(cell, VOLUME[None, z, y, x])
    return sampler.pixels()


def value_at(position: tuple[float, float, float]) -> float:
    """The value between the eight voxels around a position; voxels outside the volume are 0."""
    total = 0.0
    for corner in itertools.product((math.floor, math.ceil), repeat=3):
        places = [side(p) for side, p in zip(corner, position, strict=True)]
        weight = math.prod(
            (p - math.floor(p)) if side is math.ceil else 1 - (p - math.floor(p))
            for side, p in zip(corner, position, strict=True)
        )
        x, y, z = (place - offset for place, offset in zip(places, GRID.offset, strict=True))
        if 0 <= x < 12 and 0 <= y < 11 and 0 <= z < 10:
            total += weight * float(VOLUME[z, y, x])
    return total


def test_a_plane_along_the_axes_is_a_slice() -> None:
    plane = plane_between((2, 0, 1), (13, 0, 1), (2, 10, 1), 1.0)
    assert (plane.width, plane.height) == (12, 11)
    (patch,) = patches_of(plane, 64)
    pixels = draw(plane, patch)
    assert pixels is not None
    assert (pixels[0] == VOLUME[4]).all()


def test_a_plane_askew_is_interpolated_between_eight_voxels() -> None:
    plane = plane_between((0.5, -1.25, -2), (12, 3, 5.5), (4, 9.75, -1), 0.75)
    for patch in patches_of(plane, 6):
        pixels = draw(plane, patch)
        for row, column in np.ndindex(patch.height, patch.width):
            x, y, z = (
                a + (patch.row + row) * down + (patch.column + column) * right
                for a, down, right in zip(plane.top_left, plane.step_down, plane.step_right, strict=True)
            )
            shown = 0 if pixels is None else int(pixels[0, row, column])
            assert shown == pytest.approx(value_at((x, y, z)), abs=0.5001)


def test_patches_make_up_the_plane() -> None:
    plane = plane_between((0, 0, 0), (9, 0, 0), (0, 6, 0), 1.0)
    seen = np.zeros((plane.height, plane.width), int)
    for row, column, height, width in patches_of(plane, 4):
        seen[row : row + height, column : column + width] += 1
    assert (seen == 1).all()


def test_a_patch_outside_the_volume_needs_no_chunk() -> None:
    plane = plane_between((1e30, 0, 0), (1e30, 9, 0), (1e30, 0, 9), 1.0)
    sampler = Sampler(plane, Patch(0, 0, 4, 4), GRID, (1.0, 1.0, 1.0))
    assert not sampler.cells
    assert sampler.pixels() is None


@pytest.mark.parametrize(
    ("top_right", "resolution_nm"), [((0, 0, 0), 1.0), ((9, 0, 0), 0.0), ((math.inf, 0, 0), 1.0)]
)
def test_a_plane_without_a_finite_extent_is_refused(
    top_right: tuple[float, float, float], resolution_nm: float
) -> None:
    with pytest.raises(RequestError, match="Bad arbitrary image size requested"):
        plane_between((0, 0, 0), top_right, (0, 9, 0), resolution_nm)
