"""Names of unsharded chunks, written and parsed."""

import itertools

import pytest

from dvidpc.formats.grid import Grid
from dvidpc.formats.precomputed.chunk_names import chunk_name, find_named_chunk, is_chunk_name
from dvidpc.types import ChunkCoord, Point

GRID = Grid(Point(20, 25, 30), Point(-10, -20, 5), Point(16, 16, 16))


def test_chunks_are_named_by_absolute_coordinates() -> None:
    assert chunk_name(GRID, ChunkCoord(0, 0, 0)) == "-10-6_-20--4_5-21"
    assert chunk_name(GRID, ChunkCoord(1, 1, 1)) == "6-10_-4-5_21-35"


def test_a_chunk_is_found_by_its_name() -> None:
    for x, y, z in itertools.product(range(2), repeat=3):
        cell = ChunkCoord(x, y, z)
        assert find_named_chunk(GRID, chunk_name(GRID, cell)) == cell


@pytest.mark.parametrize("name", ["info", "-10-6_-20--4_5-22", "-26--10_-20--4_5-21", "6-10_-4-5_21-35.tmp"])
def test_names_of_other_grids_name_no_chunk(name: str) -> None:
    assert find_named_chunk(GRID, name) is None


def test_a_chunk_name_is_recognized_for_any_grid() -> None:
    assert is_chunk_name("-71--7_20-84_0-32")
    assert not is_chunk_name("-7-57_20-84_0-32.tmp")
