"""What a dialect says of the levels of a group, before their arrays are looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.axes import SPATIAL
from dvidpc.formats.arrays.units import nanometres_of

MAX_LEVELS: Final = 64
"""Levels beyond which metadata is absurd."""

_FAMILIAR: Final = {"channel": "c", "time": "t"}


@dataclass(frozen=True, slots=True)
class DescribedLevel:
    """One level; numbers are in the order of the array's dimensions, lengths in nm."""

    path: str
    """The array's directory, relative to the one that is served."""
    scale: tuple[float, ...]
    """Extent of a voxel along each dimension; of no meaning for channel and time. Empty: not known."""
    translation: tuple[float, ...]
    """Position of the first voxel along each dimension; empty: 0."""


@dataclass(frozen=True, slots=True)
class Description:
    """The levels of a group, finest first."""

    dialect: str
    """For people: `OME-Zarr 0.4`."""
    levels: tuple[DescribedLevel, ...]
    names: tuple[str, ...]
    """Names of the dimensions; empty: the arrays name them themselves, or have the usual order."""
    is_centre: bool
    """Whether translations point to the centre of the first voxel; else to its corner."""
    warnings: tuple[str, ...] = ()
    is_labels: bool | None = None
    """None: the metadata does not say."""


def usual_name(name: str, kind: str = "") -> str:
    """Return the name of an axis as this server uses it: `x`, `y`, `z`, `c` and `t`, or its own name.

    Args:
        name: As the metadata says.
        kind: Its `type` in OME-Zarr, which decides for channels and time; empty if there is none.
    """
    lower = name.lower()
    return _FAMILIAR.get(kind.lower()) or _FAMILIAR.get(lower, lower)


def lengths_of(names: Sequence[str], units: Sequence[str | None]) -> tuple[tuple[float, ...], list[str]]:
    """Return the nanometres of each axis' unit, and a warning where they are a guess; 1 for other axes.

    Args:
        names: The axes.
        units: Of each axis; None: it has none.
    """
    factors = []
    guessed = []
    for name, unit in zip(names, units, strict=True):
        factor = nanometres_of(unit) if unit is not None else None
        if name in SPATIAL and factor is None:
            guessed.append(f"{name} has {f'the unit {unit!r}' if unit else 'no unit'}")
        factors.append(factor if name in SPATIAL and factor is not None else 1.0)
    if not guessed:
        return tuple(factors), []
    return tuple(factors), [f"axis {', '.join(guessed)}: lengths are taken as nm; set the key resolution"]


def numbers(value: object, what: str) -> tuple[float, ...]:
    """Return a list of finite numbers.

    Raises:
        FormatError: It is none; the message calls it *what*.
    """
    if not isinstance(value, list) or not all(_is_number(one) for one in value):
        raise FormatError(f"{what} is not a list of numbers")
    return tuple(float(one) for one in value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
