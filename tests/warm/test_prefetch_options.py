"""What the options of `dvidpc prefetch` say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvidpc.errors import ConfigError
from dvidpc.formats.grid import Box
from dvidpc.types import Point
from dvidpc.warm.prefetch_options import EVERY_SCALE, parse_box, parse_rate, parse_scales

SCALES = {
    "0": {0},
    "2-": {2, 3, 4, 5},
    "-3": {0, 1, 2, 3},
    "1-4": {1, 2, 3, 4},
    "0,2": {0, 2},
    "0, 3-": {0, 3, 4, 5},
    "3-3": {3},
    "5,5": {5},
}


@pytest.mark.parametrize("text", SCALES)
def test_each_form_names_its_scales(text: str) -> None:
    choice = parse_scales(text)
    assert {level for level in range(6) if level in choice} == SCALES[text]


def test_every_scale_is_chosen_by_default() -> None:
    assert all(level in EVERY_SCALE for level in range(100))


@pytest.mark.parametrize("text", ["", "-", ",", "0,", "a", "4-2", "1-2-3", "--2", "0x1", "1.5", "²", "9999"])
def test_other_scales_are_refused_with_the_text(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^--scales "):
        parse_scales(text)


@given(st.lists(st.integers(-(10**12), 10**12), min_size=6, max_size=6))
def test_a_box_is_read_as_it_is_written(numbers: list[int]) -> None:
    text = ",".join(map(str, numbers))
    expected = Box(Point(*numbers[:3]), Point(*numbers[3:]))
    if expected.is_empty:
        with pytest.raises(ConfigError, match="holds no voxel"):
            parse_box(text)
    else:
        assert parse_box(text) == expected


@pytest.mark.parametrize(
    "text", ["", "0,0,0,1,1", "0,0,0,1,1,1,1", "0,0,0,1,1,a", "0,0,0,1.5,1,1", "0,0,0,1,1,"]
)
def test_what_is_no_box_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^--box .*: expected six whole numbers of voxels"):
        parse_box(text)


def test_a_rate_is_bytes_a_second() -> None:
    assert parse_rate("50MiB") == 50 * 2**20
    assert parse_rate("50MiB/s") == 50 * 2**20
    assert parse_rate("1000") == 1000


@pytest.mark.parametrize("text", ["0", "-1", "fast", "5 parsec", ""])
def test_other_rates_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^--rate "):
        parse_rate(text)
