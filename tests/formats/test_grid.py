"""The lattice of chunks, against numbers computed by other readers."""

import itertools
import random

import pytest

from dvidpc.formats.grid import Box, Grid, block_box
from dvidpc.types import BlockCoord, ChunkCoord, Point


def grid_of(cells: tuple[int, int, int]) -> Grid:
    return Grid(Point(*cells), Point(0, 0, 0), Point(1, 1, 1))


# Computed by tensorstore and cloud-volume; the last two are real volumes (H01, male CNS).
@pytest.mark.parametrize(
    ("cell", "cells", "code"),
    [
        ((3, 1, 0), (4, 2, 1), 7),
        ((4, 0, 0), (5, 3, 2), 32),
        ((4, 2, 1), (5, 3, 2), 52),
        ((7, 0, 7), (8, 1, 8), 63),
        ((269, 309, 323), (538, 618, 647), 118563559),
        ((537, 617, 646), (538, 618, 647), 948508451),
        ((8060, 5568, 330), (8061, 5569, 331), 29785627232),
        ((1470, 1223, 2102), (1471, 1224, 2103), 11834938362),
        ((0, 0, 0), (1, 1, 1), 0),
    ],
)
def test_chunk_id_is_the_compressed_morton_code(
    cell: tuple[int, int, int], cells: tuple[int, int, int], code: int
) -> None:
    assert grid_of(cells).chunk_id(ChunkCoord(*cell)) == code


@pytest.mark.parametrize("cells", [(5, 3, 2), (1, 7, 1), (4, 4, 4), (1, 1, 9)])
def test_no_two_chunks_share_an_id(cells: tuple[int, int, int]) -> None:
    grid = grid_of(cells)
    every = [ChunkCoord(*cell) for cell in itertools.product(*map(range, cells))]
    assert len({grid.chunk_id(cell) for cell in every}) == len(every)


@pytest.mark.parametrize("cell", [(-1, 0, 0), (5, 0, 0), (0, 3, 0), (0, 0, -2)])
def test_a_cell_outside_the_grid_has_no_id(cell: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="outside a grid"):
        grid_of((5, 3, 2)).chunk_id(ChunkCoord(*cell))


def test_a_volume_thinner_than_half_a_chunk_needs_no_bits() -> None:
    assert Grid(Point(20, 200, 64), Point(0, 0, 0), Point(64, 64, 64)).morton_bits == ((1, 0), (1, 1))


def test_chunks_are_clipped_at_the_upper_end_and_named_by_absolute_coordinates() -> None:
    grid = Grid(Point(20, 25, 30), Point(-10, -20, 5), Point(16, 16, 16))
    assert grid.cells == (2, 2, 2)
    assert grid.chunk_name(ChunkCoord(0, 0, 0)) == "-10-6_-20--4_5-21"
    assert grid.chunk_name(ChunkCoord(1, 1, 1)) == "6-10_-4-5_21-35"


def test_chunks_touching_a_box_are_those_that_share_a_voxel_with_it() -> None:
    random.seed(1)
    grid = Grid(Point(23, 17, 9), Point(-5, 3, 1), Point(5, 4, 3))
    every = [ChunkCoord(*cell) for cell in itertools.product(*map(range, grid.cells))]
    for _ in range(300):
        start = Point(*(random.randint(-12, 25) for _ in range(3)))
        box = Box(start, Point(*(a + random.randint(0, 12) for a in start)))
        expected = {cell for cell in every if not grid.chunk_box(cell).intersection(box).is_empty}
        assert set(grid.chunks_touching(box)) == expected
        assert grid.count_chunks_touching(box) == len(expected)


def test_blocks_are_counted_from_the_origin_of_absolute_coordinates() -> None:
    box = block_box(BlockCoord(-1, 0, 2), Point(64, 64, 64))
    assert box == Box(Point(-64, 0, 128), Point(0, 64, 192))
    assert box.size == (64, 64, 64)


def test_a_chunk_is_a_block_only_where_both_hold_the_same_voxels() -> None:
    random.seed(2)
    for _ in range(200):
        side = random.choice([2, 3, 4])
        chunk_size = Point(*(random.choice([side, side, side, 3]) for _ in range(3)))
        offset = Point(*(random.choice([0, side, -side, 1]) for _ in range(3)))
        grid = Grid(Point(*(random.randint(1, 9) for _ in range(3))), offset, chunk_size)
        block = BlockCoord(*(random.randint(-4, 6) for _ in range(3)))
        box = block_box(block, Point(side, side, side))
        every = (ChunkCoord(*cell) for cell in itertools.product(*map(range, grid.cells)))
        expected = next((cell for cell in every if grid.chunk_box(cell) == box), None)
        if expected is not None and chunk_size != (side, side, side):
            expected = (
                None  # a clipped chunk that happens to be a block's voxels is put together like any other
            )
        found = grid.chunk_that_is(block, Point(side, side, side))
        if found is not None:
            assert found == expected
            assert grid.chunk_box(found) == box
        elif expected is not None:
            assert not grid.is_whole(expected)
