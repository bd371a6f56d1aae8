"""Boxes cut into slabs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.formats.grid import Box, Grid
from dvidpc.formats.slabs import cuts_chunks, slabs_of
from dvidpc.types import Point


def box(start: tuple[int, int, int], size: tuple[int, int, int]) -> Box:
    return Box(Point(*start), Point(*(a + n for a, n in zip(start, size, strict=True))))


GRID = Grid(Point(200, 200, 200), Point(5, 6, 7), Point(16, 16, 16))


@given(
    st.tuples(*[st.integers(-9, 9)] * 3),
    st.tuples(*[st.integers(1, 12)] * 3),
    st.integers(1, 2000),
    st.tuples(*[st.integers(1, 7)] * 3),
)
def test_slabs_one_after_the_other_list_the_voxels_of_the_box(
    start: tuple[int, int, int], size: tuple[int, int, int], most: int, chunk: tuple[int, int, int]
) -> None:
    whole = box(start, size)
    numbers = np.arange(math.prod(size)).reshape(size[::-1])
    listed: list[int] = []
    for slab in slabs_of(whole, Grid(Point(9, 9, 9), Point(-2, 1, 3), Point(*chunk)), most):
        assert 0 < math.prod(slab.size) <= most
        x, y, z = (slice(a - o, b - o) for a, b, o in zip(slab.start, slab.stop, start, strict=True))
        listed += numbers[z, y, x].ravel().tolist()
    assert listed == numbers.ravel().tolist()


def test_a_slab_ends_where_a_chunk_does_if_it_can() -> None:
    slabs = list(slabs_of(box((0, 0, 0), (10, 10, 60)), GRID, 10 * 10 * 20))
    assert [slab.stop.z for slab in slabs] == [7, 23, 39, 55, 60]
    assert not any(cuts_chunks(slab, box((0, 0, 0), (10, 10, 60)), GRID) for slab in slabs)


def test_a_slab_thinner_than_a_chunk_cuts_it() -> None:
    whole = box((0, 0, 7), (10, 10, 32))
    slabs = list(slabs_of(whole, GRID, 10 * 10 * 6))
    assert [slab.stop.z for slab in slabs] == [13, 19, 23, 29, 35, 39]
    assert all(cuts_chunks(slab, whole, GRID) for slab in slabs)


@pytest.mark.parametrize(("size", "most"), [((100, 100, 2), 1000), ((5000, 1, 1), 1000)])
def test_planes_and_rows_too_large_are_cut_too(size: tuple[int, int, int], most: int) -> None:
    slabs = list(slabs_of(box((0, 0, 0), size), GRID, most))
    assert sum(math.prod(slab.size) for slab in slabs) == math.prod(size)
    assert max(math.prod(slab.size) for slab in slabs) <= most
