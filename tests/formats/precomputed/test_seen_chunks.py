"""Chunks marked as seen, by name and by id."""

import itertools

import numpy as np

from dvidpc.formats.grid import Grid
from dvidpc.formats.precomputed.chunk_ids import ChunkIds
from dvidpc.formats.precomputed.chunk_names import chunk_name
from dvidpc.formats.precomputed.seen_chunks import Roll
from dvidpc.types import ChunkCoord, Point

GRID = Grid(Point(150, 130, 100), Point(-7, 20, 0), Point(64, 64, 32))
CELLS = [ChunkCoord(x, y, z) for z, y, x in itertools.product(range(4), range(3), range(3))]


def test_each_name_of_the_grid_is_counted_once() -> None:
    roll = Roll(GRID)
    assert all(roll.mark_name(chunk_name(GRID, cell)) for cell in [*CELLS, *CELLS])
    assert (roll.seen, roll.first_unseen()) == (GRID.chunk_count, None)


def test_names_of_other_grids_are_not_counted() -> None:
    roll = Roll(GRID)
    for name in ("info", "-7-57_20-84_0-64", "0-64_20-84_0-32", "121-185_20-84_0-32", "-71--7_20-84_0-32"):
        assert not roll.mark_name(name)
    assert roll.seen == 0
    assert roll.mark_name("121-143_148-150_96-100")  # clipped at every end


def test_first_chunk_that_was_not_seen_is_known() -> None:
    roll = Roll(GRID)
    for cell in CELLS:
        if cell not in {(2, 1, 1), (0, 0, 3)}:
            roll.mark_name(chunk_name(GRID, cell))
    assert (roll.seen, roll.first_unseen()) == (len(CELLS) - 2, (2, 1, 1))


def test_ids_outside_the_grid_are_not_counted() -> None:
    roll = Roll(GRID)
    ids = ChunkIds(GRID)
    inside = {ids.chunk_id(cell) for cell in CELLS}
    every = np.arange(1 << ids.num_bits + 1, dtype=np.uint64)
    known = roll.mark_ids(every)
    assert {int(chunk_id) for chunk_id in every[known]} == inside
    assert (roll.seen, roll.first_unseen()) == (len(CELLS), None)
    roll.mark_ids(np.array([2**64 - 1, 0, 0], np.uint64))
    assert roll.seen == len(CELLS)


def test_grid_of_too_many_chunks_is_counted_without_marks() -> None:
    roll = Roll(Grid(Point(10**6, 10**6, 10**4), Point(0, 0, 0), Point(16, 16, 16)))
    assert roll.mark_name("999984-1000000_0-16_0-16")
    assert (roll.seen, roll.first_unseen()) == (1, None)
