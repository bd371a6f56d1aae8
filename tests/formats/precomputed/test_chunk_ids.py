"""Chunk ids, against numbers computed by other readers."""

import itertools

import numpy as np
import pytest

from dvidpc.formats.grid import Grid
from dvidpc.formats.precomputed.chunk_ids import ChunkIds, morton_bits
from dvidpc.types import ChunkCoord, Point


def ids_of(cells: tuple[int, int, int]) -> ChunkIds:
    return ChunkIds(Grid(Point(*cells), Point(0, 0, 0), Point(1, 1, 1)))


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
    ids = ids_of(cells)
    assert ids.chunk_id(ChunkCoord(*cell)) == code
    decoded, is_inside = ids.cells_of(np.array([code], np.uint64))
    assert decoded[:, 0].tolist() == list(cell)
    assert is_inside.all()


@pytest.mark.parametrize("cells", [(5, 3, 2), (1, 7, 1), (4, 4, 4), (1, 1, 9)])
def test_no_two_chunks_share_an_id(cells: tuple[int, int, int]) -> None:
    ids = ids_of(cells)
    every = [ChunkCoord(*cell) for cell in itertools.product(*map(range, cells))]
    assert len({ids.chunk_id(cell) for cell in every}) == len(every)


@pytest.mark.parametrize("cells", [(5, 3, 2), (1, 7, 1)])
def test_ids_outside_the_grid_are_recognized(cells: tuple[int, int, int]) -> None:
    ids = ids_of(cells)
    known = {ids.chunk_id(ChunkCoord(*cell)) for cell in itertools.product(*map(range, cells))}
    numbers = np.arange(1 << ids.num_bits + 1, dtype=np.uint64)
    _, is_inside = ids.cells_of(numbers)
    assert set(numbers[is_inside].tolist()) == known


@pytest.mark.parametrize("cell", [(-1, 0, 0), (5, 0, 0), (0, 3, 0), (0, 0, -2)])
def test_a_cell_outside_the_grid_has_no_id(cell: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="outside a grid"):
        ids_of((5, 3, 2)).chunk_id(ChunkCoord(*cell))


def test_a_volume_thinner_than_half_a_chunk_needs_no_bits() -> None:
    grid = Grid(Point(20, 200, 64), Point(0, 0, 0), Point(64, 64, 64))
    assert morton_bits(grid.cells) == ((1, 0), (1, 1))
    assert ChunkIds(grid).num_bits == 2
