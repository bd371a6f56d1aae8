"""Offsets of levels, compared with the table that neuroglancer's rule and ours were worked out in."""

import pytest

from dvidpc.formats.arrays.offsets import Placement, find_offsets
from dvidpc.types import Point

FACTORS = (1, 2, 4)


def pyramid(translations: tuple[float, ...], *, is_centre: bool = True, voxel: float = 8) -> list[Placement]:
    return [
        Placement((voxel * f,) * 3, (t,) * 3, is_centre) for f, t in zip(FACTORS, translations, strict=True)
    ]


@pytest.mark.parametrize(
    ("translations", "offsets"),
    [
        pytest.param((0, 4, 12), (0, 0, 0), id="centres: OpenOrganelle, xarray"),
        pytest.param((0, 0, 0), (0, 0, 0), id="no translation: ome-zarr-py before 2026, WEBKNOSSOS"),
        pytest.param((1024, 1028, 1036), (128, 64, 32), id="crop at 1024 nm, centres"),
        pytest.param((1000, 1004, 1012), (125, 63, 31), id="crop at 1000 nm, centres"),
        pytest.param((1024, 1024, 1024), (128, 64, 32), id="crop, corners"),
        pytest.param((-56, -52, -44), (-7, -3, -2), id="before the origin"),
    ],
)
def test_pyramids_of_either_convention_start_at_the_same_corner(
    translations: tuple[float, ...], offsets: tuple[int, ...]
) -> None:
    found = find_offsets(pyramid(translations))
    assert [level.x for level in found.levels] == list(offsets)


def test_corners_are_taken_as_they_are() -> None:
    found = find_offsets(pyramid((64, 64, 64), is_centre=False))
    assert [level.x for level in found.levels] == [8, 4, 2]
    assert found.warnings == ()


def test_rounding_is_said_once() -> None:
    found = find_offsets(pyramid((1000, 1004, 1012)))
    (warning,) = found.warnings
    assert "levels 1, 2" in warning
    assert "0.5 voxels" in warning


def test_an_offset_that_blocks_cannot_count_is_left_out() -> None:
    far = 8.0 * 2**31
    found = find_offsets(pyramid((far, far, far)))
    assert found.levels == (Point(0, 0, 0),) * 3
    (warning,) = found.warnings
    assert "2^31" in warning


def test_anisotropic_levels_have_offsets_of_their_own() -> None:
    found = find_offsets(
        [
            Placement((4, 4, 40), (400, 40, 4000), is_centre=True),
            Placement((8, 8, 40), (402, 42, 4000), is_centre=True),
        ]
    )
    assert found.levels == (Point(100, 10, 100), Point(50, 5, 100))
