"""Stored positions and the voxels and cells that hold them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.formats.grid import Box
from dvidpc.formats.lattice import Lattice, Placement, Span
from dvidpc.formats.precomputed.chunk_ids import MortonCodes
from dvidpc.types import Point

XYZ = (0, 1, 2)
SCALES_NM = {"nm": 1.0, "um": 1e3, "mm": 1e6, "m": 1e9, "8 nm": 8.0, "4 nm": 4.0, "30 nm": 30.0}


@pytest.mark.parametrize("voxel_nm", [8.0, 4.0, 30.0, 7.4])
@pytest.mark.parametrize("unit", SCALES_NM)
@pytest.mark.parametrize("shift", [0, 0.5])
def test_every_voxel_is_found_in_every_unit(voxel_nm: float, unit: str, shift: float) -> None:
    """Flooring alone is wrong for about half of all voxels in um, mm and m."""
    rng = np.random.default_rng(1)
    voxels = np.concatenate([np.arange(-3000, 3000), rng.integers(-200_000, 200_000, 6000)]).reshape(-1, 3)
    stored = ((voxels + shift) * voxel_nm / SCALES_NM[unit]).astype(np.float32)
    placement = Placement(XYZ, (SCALES_NM[unit] / voxel_nm,) * 3)
    placed = placement.place(stored)
    assert placed.is_placed.all()
    assert (placed.voxels == voxels).all()


def test_positions_between_voxels_belong_to_the_one_below() -> None:
    placement = Placement(XYZ, (1, 1, 1))
    stored = np.array([[0.25, -0.25, 7.99], [-1, -1.001, 0.999]], np.float32)
    assert placement.place(stored).voxels.tolist() == [[0, -1, 7], [-1, -2, 0]]


def test_axes_are_found_by_their_place_in_the_file() -> None:
    placement = Placement((2, 1, 0), (1, 0.5, 2))
    stored = np.array([[10, 20, 30]], np.float32)  # z, y, x
    assert placement.place(stored).voxels.tolist() == [[30, 10, 20]]
    span = placement.span(Box(Point(30, 10, 20), Point(31, 11, 21)))
    assert span.low == pytest.approx([10, 20, 30], abs=0.01)
    assert span.high == pytest.approx([10.5, 22, 31], abs=0.01)


@pytest.mark.parametrize("at", [float("nan"), float("inf"), -float("inf"), 2.0**31, -(2.0**31) - 1000, 1e38])
def test_a_position_without_a_voxel_is_told(at: float) -> None:
    placed = Placement(XYZ, (1, 1, 1)).place(np.array([[1, 2, 3], [1, at, 3]], np.float32))
    assert placed.is_placed.tolist() == [True, False]


def test_the_extreme_voxels_have_a_place() -> None:
    placed = Placement(XYZ, (1, 1, 1)).place(np.array([[-(2.0**31), 2.0**31 - 128, 0]], np.float32))
    assert placed.is_placed.all()
    assert placed.voxels.tolist() == [[-(2**31), 2**31 - 128, 0]]


LATTICE = Lattice((10, -20, 0), (5, 10, 2.5), (4, 3, 8))


@given(st.tuples(*[st.floats(-100, 100, width=32)] * 3))
def test_the_cells_that_touch_a_position_hold_it(position: tuple[float, float, float]) -> None:
    at = np.array(position)
    found = set(LATTICE.cells_touching(Span(at, at)))
    boxes = Span(at[None], at[None])
    expected = {cell for cell in LATTICE.all_cells if not LATTICE.misses(cell, boxes)[0]}
    assert expected
    assert expected <= found
    assert len(found) <= 8


def test_positions_on_a_border_touch_both_cells_and_those_beyond_the_outermost() -> None:
    def cells(*at: float) -> set[tuple[int, ...]]:
        return set(LATTICE.cells_touching(Span(np.array(at), np.array(at))))

    assert cells(12, -15, 1) == {(0, 0, 0)}
    assert cells(15, -15, 1) == {(0, 0, 0), (1, 0, 0)}
    assert cells(15, -10, 2.5) == {(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)}
    assert cells(-1e30, 1e30, 1e30) == {(0, 2, 7)}


def test_many_cells_are_counted_without_being_listed() -> None:
    huge = Lattice((0, 0, 0), (1, 1, 1), (2**21, 2**21, 2**22))
    assert huge.all_cells.count == 2**64
    assert next(iter(huge.all_cells)) == (0, 0, 0)
    assert huge.cells_touching(Span(np.full(3, -1e30), np.full(3, 1e30))).count == 2**64


def test_a_sample_is_spread_over_all_cells() -> None:
    cells = Lattice((0, 0, 0), (1, 1, 1), (16, 16, 16)).all_cells
    sample = list(cells.sample(64))
    assert len(set(sample)) == 64
    assert sample == list(cells.sample(64))
    for axis in zip(*sample, strict=True):
        assert len({at // 4 for at in axis}) == 4
    few = Lattice((0, 0, 0), (1, 1, 1), (2, 3, 4)).all_cells
    assert list(few.sample(64)) == list(few)
    huge = Lattice((0, 0, 0), (1, 1, 1), (2**21, 2**21, 2**22)).all_cells
    assert len(list(huge.sample(64))) == 64


@pytest.mark.parametrize(
    ("cell", "cells", "code"),
    [
        ((2, 1, 1), (6, 3, 2), 14),
        ((5, 2, 1), (6, 3, 2), 53),
        ((0, 0, 0), (1, 1, 1), 0),
        ((3, 0), (4, 1), 3),
        ((1, 1, 1, 1), (2, 2, 2, 2), 15),
        ((5,), (6,), 5),
        ((2**21 - 1,) * 3, (2**21,) * 3, 2**63 - 1),
    ],
)
def test_cells_of_any_rank_have_a_morton_code(
    cell: tuple[int, ...], cells: tuple[int, ...], code: int
) -> None:
    assert MortonCodes(cells).code(cell) == code
