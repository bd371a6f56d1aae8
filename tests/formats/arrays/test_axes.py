"""Which dimension becomes x, y, z and channel."""

import pytest

from dvidpc.errors import ConfigError, FormatError
from dvidpc.formats.arrays.axes import AxisMap, map_axes
from dvidpc.formats.arrays.selection import ArraySelection


@pytest.mark.parametrize(
    ("names", "shape", "at", "expected"),
    [
        ("zyx", (3, 4, 5), {}, AxisMap(2, 1, 0, None)),
        ("xyz", (3, 4, 5), {}, AxisMap(0, 1, 2, None)),
        ("yx", (4, 5), {}, AxisMap(1, 0, None, None)),
        ("cxyz", (2, 3, 4, 5), {}, AxisMap(1, 2, 3, 0)),
        ("tczyx", (1, 2, 3, 4, 5), {}, AxisMap(4, 3, 2, 1, ((0, 0),))),
        ("tczyx", (9, 2, 3, 4, 5), {"t": 7}, AxisMap(4, 3, 2, 1, ((0, 7),))),
        ("tczyx", (9, 2, 3, 4, 5), {"t": 7, "c": 1}, AxisMap(4, 3, 2, None, ((0, 7), (1, 1)))),
        (("angle", "z", "y", "x"), (1, 3, 4, 5), {}, AxisMap(3, 2, 1, None, ((0, 0),))),
    ],
)
def test_axes_go_by_name(
    names: str | tuple[str, ...], shape: tuple[int, ...], at: dict[str, int], expected: AxisMap
) -> None:
    assert map_axes(list(names), shape, ArraySelection(at=tuple(at.items()))) == expected


@pytest.mark.parametrize(
    ("names", "shape", "said"),
    [
        ("tzyx", (9, 3, 4, 5), "axis 't' has 9 positions; choose one: at = { t = 0 }"),
        ("zy", (3, 4), "have no x"),
        ("zyxx", (3, 4, 5, 6), "name a dimension twice"),
        ("zyx", (3, 4), "are 3; the array has 2 dimensions"),
    ],
)
def test_what_the_metadata_leaves_open_is_refused(names: str, shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(FormatError, match=said.replace("{", "\\{")):
        map_axes(list(names), shape, ArraySelection())


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ({"q": 0}, "at: there is no axis 'q'"),
        ({"z": 0}, "at: there is no axis 'z'"),
        ({"c": 2}, "at: c = 2 is not between 0 and 1"),
        ({"c": -1}, "at: c = -1 is not between 0 and 1"),
    ],
)
def test_a_position_that_is_not_there_is_the_configurations_fault(at: dict[str, int], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        map_axes(list("czyx"), (2, 3, 4, 5), ArraySelection(at=tuple(at.items())))
