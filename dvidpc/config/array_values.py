"""Kinds of values that only the stores of arrays have (zarr, N5), and the window of any image."""

import math
import re
from typing import Final

from dvidpc.config.values import BadValueError, Kind, choice, describe
from dvidpc.formats.window import Window

_AXES: Final = re.compile("[a-z]{2,9}")
_MOST_INDEX: Final = 2**31 - 1


def parse_axes(value: object) -> str | None:
    """Parse the names of dimensions, one letter each, in the array's order; x and y must be among them."""
    if not isinstance(value, str):
        raise BadValueError
    if not value:
        return None
    if not _AXES.fullmatch(value) or len(set(value)) < len(value) or not {"x", "y"} <= set(value):
        raise BadValueError(f"{describe(value)} does not name each dimension by a letter, x and y among them")
    return value


def parse_at(value: object) -> tuple[tuple[str, int], ...]:
    """Parse fixed positions on axes that are neither x, y nor z."""
    if not isinstance(value, dict):
        raise BadValueError
    for axis, position in value.items():
        if axis in {"x", "y", "z"}:
            raise BadValueError(f"the axis {axis} cannot be fixed; x, y and z are always served whole")
        if not isinstance(position, int) or isinstance(position, bool) or not 0 <= position <= _MOST_INDEX:
            raise BadValueError(
                f"expected a position as a whole number from 0 for {axis}, got {describe(position)}"
            )
    return tuple(sorted(value.items()))


def parse_resolution(value: object) -> tuple[float, float, float] | None:
    """Parse the extent of a voxel along x, y and z in nanometers; None for an empty array."""
    if value == []:
        return None
    if not isinstance(value, list) or len(value) != 3:
        raise BadValueError
    x, y, z = (_number(one) for one in value)
    if min(x, y, z) <= 0:
        raise BadValueError
    return x, y, z


def parse_window(value: object) -> Window | None:
    """Parse the values that are shown as black and as white; None for an empty array."""
    if value == []:
        return None
    if not isinstance(value, list) or len(value) != 2:
        raise BadValueError
    low, high = (_number(one) for one in value)
    if low >= high:
        raise BadValueError("the first number, shown as black, must be less than the second, shown as white")
    return Window(low, high)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadValueError
    try:
        number = float(value)
    except OverflowError:
        raise BadValueError from None
    if not math.isfinite(number):
        raise BadValueError
    return number


def _optional_choice(*choices: str) -> Kind:
    """Return the kind of strings that are one of *choices*, or empty, which means the same as no key."""
    kind = choice(*choices)
    return Kind(kind.words, kind.example, lambda value: None if value == "" else kind.parse(value))


AXES: Final = Kind("a string with the names of the dimensions, one letter each", '"zyx"', parse_axes)
AT: Final = Kind("a table of positions by axis", "{ t = 0, c = 1 }", parse_at)
RESOLUTION: Final = Kind(
    "an array of three numbers above 0, in nm along x, y and z", "[4, 4, 40]", parse_resolution
)
OFFSET: Final = choice("metadata", "ignore")
SEPARATOR: Final = _optional_choice("/", ".")
VOLUME_TYPE: Final = _optional_choice("image", "segmentation")
WINDOW: Final = Kind("an array of two numbers, low and high", "[0, 4095]", parse_window)
