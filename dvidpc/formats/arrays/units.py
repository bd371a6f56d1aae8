"""Units of length as writers spell them, in nanometres."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_NANOMETRES: Final[Mapping[str, float]] = MappingProxyType(
    {
        "picometer": 1e-3,
        "angstrom": 0.1,
        "nanometer": 1.0,
        "micrometer": 1e3,
        "millimeter": 1e6,
        "centimeter": 1e7,
        "meter": 1e9,
        "kilometer": 1e12,
        "inch": 2.54e7,
        "foot": 3.048e8,
    }
)
_LONGEST_SYMBOL: Final = 2
"""Letters up to which a unit is a symbol, where a final s is no plural: `ms` is a time."""
_SHORT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pm": "picometer",
        "å": "angstrom",
        "a": "angstrom",
        "nm": "nanometer",
        "um": "micrometer",
        "µm": "micrometer",  # U+00B5, the sign of keyboards
        "\u03bcm": "micrometer",  # the Greek letter
        "micron": "micrometer",
        "mm": "millimeter",
        "cm": "centimeter",
        "m": "meter",
        "km": "kilometer",
        "in": "inch",
    }
)


def nanometres_of(unit: str) -> float | None:
    """Return how many nanometres a unit of length has; None if it is not known.

    Knows UDUNITS' names that OME-Zarr allows, in either spelling and number, and the usual symbols.
    """
    name = unit.strip().lower()
    if len(name) > _LONGEST_SYMBOL:
        name = name.removesuffix("s")
    name = _SHORT.get(name, name)
    if name.endswith("metre"):
        name = f"{name.removesuffix('metre')}meter"
    return _NANOMETRES.get(name)
