"""The `dimensions` of an annotation collection: the name, scale and unit of each stored axis."""

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.info_values import positive_float

_THOUSANDS: Final = ("y", "z", "a", "f", "p", "n", "u", "m", "", "k", "M", "G", "T", "P", "E", "Z", "Y")
_EXPONENTS: Final = MappingProxyType(
    {prefix: 3 * at - 24 for at, prefix in enumerate(_THOUSANDS)}
    | {"\u00b5": -6, "\u03bc": -6, "c": -2, "h": 2}
)
"""SI prefixes; micro has two characters besides `u`."""

_UNIT: Final = re.compile("([YZEPTGMkhcmu\u00b5\u03bcnpfazy]?)(m|s|Hz|rad/s)")
_NM_EXPONENT: Final = 9


@dataclass(frozen=True, slots=True)
class Dimension:
    """One stored axis."""

    name: str
    scale: float
    """How many *unit* a coordinate of 1 stands for, without the SI prefix."""
    unit: str
    """As in the `info`: an SI prefix and `m`, `s`, `Hz` or `rad/s`; empty: none."""

    @property
    def scale_nm(self) -> float | None:
        """How many nanometers a coordinate of 1 stands for; None if the unit is no length."""
        match = _UNIT.fullmatch(self.unit)
        if match is None or match[2] != "m":
            return None
        exponent = _EXPONENTS[match[1]] + _NM_EXPONENT
        return self.scale * 10.0**exponent if exponent >= 0 else self.scale / 10.0**-exponent


def read_dimensions(value: object) -> tuple[Dimension, ...]:
    """Return the `dimensions` member, in the order in which coordinates are stored.

    Raises:
        FormatError: It is malformed.
    """
    if not isinstance(value, dict):
        raise FormatError("is not a JSON object")
    return tuple(_read_dimension(name, entry) for name, entry in value.items())


def _read_dimension(name: str, entry: object) -> Dimension:
    shown = repr(name[:60])
    if isinstance(entry, dict):
        raise FormatError(f"lists the coordinates of {shown}; only axes with a scale are supported")
    if not isinstance(entry, list) or len(entry) != 2:
        raise FormatError(f"{shown} is not a scale and a unit")
    scale, unit = entry
    if not isinstance(unit, str) or (unit and not _UNIT.fullmatch(unit)):
        raise FormatError(f"{shown} has the unit {str(unit)[:60]!r}, which is not known")
    try:
        return Dimension(name, positive_float(scale), unit)
    except FormatError as error:
        raise FormatError(f"{shown} has a scale that {error}") from None
