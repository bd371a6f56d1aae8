"""Values of an `info` file that need more than one spelling or limit to test."""

import pytest

from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.info_values import coordinate, integer, relative_path, resolution


@pytest.mark.parametrize("value", [64, 64.0, "64", "6.4e1", " 64 "])
def test_an_integer_may_be_spelled_in_any_way(value: object) -> None:
    assert integer(value) == 64


@pytest.mark.parametrize("value", [True, None, [64], "", "x", "nan", float("inf"), 64.5, "6" * 20])
def test_other_values_are_no_integers(value: object) -> None:
    with pytest.raises(FormatError, match="not an integer"):
        integer(value)


def test_a_coordinate_has_a_limit() -> None:
    assert coordinate(-(2**40)) == -(2**40)
    with pytest.raises(FormatError, match="more than 2\\^40 voxels"):
        coordinate(2**40 + 1)


@pytest.mark.parametrize(("value", "key"), [("s0/", "s0"), ("./a//b", "a/b"), ("../x", "../x"), (".", "")])
def test_a_path_is_normalized(value: str, key: str) -> None:
    assert relative_path(value) == key


@pytest.mark.parametrize("value", ["", "/s0", "s3://x/y", "a\0b", 8])
def test_other_values_are_no_relative_paths(value: object) -> None:
    with pytest.raises(FormatError, match="not a relative path"):
        relative_path(value)


@pytest.mark.parametrize("value", [[8, 8, 0], [8, 8, "x"], [8, 8, True], [8, 8, 10**400]])
def test_a_resolution_is_positive(value: object) -> None:
    with pytest.raises(FormatError, match="not a positive number"):
        resolution(value)
