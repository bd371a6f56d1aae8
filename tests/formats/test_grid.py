"""The lattice of chunks, compared with brute force over all of its cells."""

import itertools
import random

from dvidpc.formats.grid import Box, Grid, block_box
from dvidpc.types import BlockCoord, ChunkCoord, Point


def test_chunks_are_counted_from_the_offset_and_clipped_at_the_upper_end() -> None:
    grid = Grid(Point(20, 25, 30), Point(-10, -20, 5), Point(16, 16, 16))
    assert grid.cells == (2, 2, 2)
    assert grid.chunk_box(ChunkCoord(0, 0, 0)) == Box(Point(-10, -20, 5), Point(6, -4, 21))
    assert grid.chunk_box(ChunkCoord(1, 1, 1)) == Box(Point(6, -4, 21), Point(10, 5, 35))


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
            expected = None  # a clipped chunk that happens to match a block is assembled like any other
        found = grid.chunk_that_is(block, Point(side, side, side))
        if found is not None:
            assert found == expected
            assert grid.chunk_box(found) == box
        elif expected is not None:
            assert not grid.is_whole(expected)
