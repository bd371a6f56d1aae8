"""The order in which chunks are read."""

import itertools
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from dvidpc.formats.grid import Box, CellRange, Grid
from dvidpc.formats.precomputed.chunk_ids import ChunkIds
from dvidpc.types import ChunkCoord, Point
from dvidpc.warm.morton_walk import spread, walk

SIDES = st.tuples(*[st.integers(1, 9)] * 3)


@st.composite
def ranges(draw: st.DrawFn) -> tuple[Grid, CellRange]:
    """Return a grid of chunks of one voxel, and some of its cells."""
    size = draw(SIDES)
    grid = Grid(Point(*size), Point(0, 0, 0), Point(1, 1, 1))
    start = Point(*(draw(st.integers(0, n - 1)) for n in size))
    stop = Point(*(draw(st.integers(a + 1, n)) for a, n in zip(start, size, strict=True)))
    return grid, grid.cells_touching(Box(start, stop))


@given(ranges())
def test_each_cell_comes_once_and_in_the_order_of_chunk_ids(drawn: tuple[Grid, CellRange]) -> None:
    grid, cells = drawn
    found = list(walk(cells))
    axes = [range(a, b) for a, b in zip(cells.start, cells.stop, strict=True)]
    assert sorted(found) == sorted(itertools.product(*axes))
    ids = [ChunkIds(grid).chunk_id(cell) for cell in found]
    assert ids == sorted(ids)


def test_a_walk_over_a_petavoxel_takes_no_memory() -> None:
    cells = CellRange(ChunkCoord(3, 0, 0), ChunkCoord(2**17, 2**17, 2**14))
    tracemalloc.start()
    first = list(itertools.islice(walk(cells), 1000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(set(first)) == 1000
    assert peak < 2**20


def test_nothing_is_walked_in_an_empty_range() -> None:
    assert list(walk(CellRange(ChunkCoord(0, 0, 0), ChunkCoord(0, 0, 0)))) == []
    assert spread(CellRange(ChunkCoord(0, 0, 0), ChunkCoord(0, 0, 0)), 5) == []


@given(ranges(), st.integers(1, 60))
def test_samples_are_spread_and_differ(drawn: tuple[Grid, CellRange], count: int) -> None:
    cells = drawn[1]
    inside = set(walk(cells))
    found = spread(cells, count)
    assert len(found) == len(set(found)) == min(count, len(inside))
    assert set(found) <= inside


def test_samples_come_from_all_of_a_long_range() -> None:
    cells = CellRange(ChunkCoord(10, 0, 0), ChunkCoord(110, 1, 1))
    assert [cell.x for cell in spread(cells, 4)] == [22, 47, 72, 97]
