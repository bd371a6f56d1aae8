"""Boxes assembled from chunks, compared with slices of the whole volume."""

import numpy as np
import pytest

from dvidpc.formats.assembly import OPAQUE, BlockLayout, Part, assemble, piece_of, pieces_of
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.grid import Box, Grid
from dvidpc.types import ChunkCoord, Point

GRID = Grid(Point(11, 9, 7), Point(-3, 2, 1), Point(4, 3, 5))
VOLUME = np.random.default_rng(0).integers(1, 256, (3, 7, 9, 11), np.uint8)
"""`[c, z, y, x]`, from the grid's offset on."""


def part_of(box: Box, values: Voxels = VOLUME) -> Voxels:
    x, y, z = (slice(a - o, b - o) for a, b, o in zip(box.start, box.stop, GRID.offset, strict=True))
    return values[:, z, y, x]


def parts_of(box: Box, values: Voxels = VOLUME) -> list[Part]:
    return [
        Part(piece.box, part_of(GRID.chunk_box(piece.cell), values)[:, *piece.source_zyx])
        for piece in pieces_of(GRID, box)
    ]


@pytest.mark.parametrize("start", [(-3, 2, 1), (-2, 4, 2), (3, 6, 4)])
def test_a_box_holds_the_voxels_of_its_chunks(start: tuple[int, int, int]) -> None:
    box = Box(Point(*start), Point(*(a + 4 for a in start)))
    shown = assemble(box, parts_of(box, VOLUME[1:2]), BlockLayout(np.dtype(np.uint8), 1))
    assert (shown[..., 0] == part_of(box)[1]).all()


def test_a_layout_may_show_one_channel_of_many() -> None:
    box = Box(Point(-2, 3, 2), Point(5, 8, 7))
    shown = assemble(box, parts_of(box), BlockLayout(np.dtype(np.uint8), 1, channel=2))
    assert (shown[..., 0] == part_of(box)[2]).all()


def test_voxels_outside_the_volume_are_zero_and_colors_opaque() -> None:
    box = Box(Point(-5, 2, 1), Point(-1, 5, 6))
    shown = assemble(box, parts_of(box), BlockLayout(np.dtype(np.uint8), 4))
    inside = Box(Point(-3, 2, 1), box.stop)
    assert (shown[..., :2, :3] == 0).all()
    assert (np.moveaxis(shown[..., 2:, :3], -1, 0) == part_of(inside)).all()
    assert (shown[..., 3] == OPAQUE).all()


def test_a_piece_says_whether_it_is_a_whole_chunk() -> None:
    box = Box(Point(-3, 2, 1), Point(2, 5, 6))
    assert [piece.is_whole_chunk for piece in pieces_of(GRID, box)] == [True, False]
    assert piece_of(GRID, ChunkCoord(2, 0, 0), GRID.box).is_whole_chunk  # clipped, but all there is
