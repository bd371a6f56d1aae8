"""Scaled images, compared with DVID's own algorithm, one pixel at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dvidpc.formats.dvid.scaling import isotropic_extent, scale_image


def interpolate(image: NDArray[np.uint8], width: int, height: int) -> list[list[int]]:
    """Scale as `interpolate1x8` (image.go:840): spread each source pixel over the targets it covers."""
    rows, columns = image.shape
    sums = [[0] * width for _ in range(height)]
    for y, x in np.ndindex(rows, columns):
        for fine_y in range(y * height, (y + 1) * height):
            for fine_x in range(x * width, (x + 1) * width):
                sums[fine_y // rows][fine_x // columns] += int(image[y, x])
    return [[total // (rows * columns) for total in row] for row in sums]


@given(st.integers(1, 7), st.integers(1, 7), st.integers(1, 9), st.sampled_from("xy"), st.integers(0, 1000))
def test_an_axis_is_scaled_to_the_last_grey_level(
    rows: int, columns: int, wanted: int, axis: str, seed: int
) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (rows, columns), np.uint8)
    width, height = (wanted, rows) if axis == "x" else (columns, wanted)
    assert scale_image(image, width, height).tolist() == interpolate(image, width, height)


def test_numbers_of_64_bits_do_not_overflow() -> None:
    image = np.array([[2**64 - 1, 2**64 - 3]], np.uint64)
    assert scale_image(image, 1, 1).tolist() == [[2**64 - 2]]


def test_signed_numbers_keep_their_sign() -> None:
    assert scale_image(np.array([[-3, 2]], np.int16), 3, 1).tolist() == [[-3, -1, 2]]


def test_floats_are_not_rounded() -> None:
    assert scale_image(np.array([[0.25, 0.5]], np.float32), 3, 1).tolist() == [[0.25, 0.375, 0.5]]


@pytest.mark.parametrize(
    ("resolution", "extent"),
    [
        ((8, 8), (40, 30)),
        ((8, 40), (40, 6)),  # `isotropic/xz/40_30` at 8 x 8 x 40 nm
        ((40, 8), (8, 30)),
        ((16.5, 33.25), (40, 15)),
        ((8, 1000), (40, 0)),
    ],
)
def test_the_coarser_axis_is_read_less(resolution: tuple[float, float], extent: tuple[int, int]) -> None:
    assert isotropic_extent(40, 30, resolution) == extent
