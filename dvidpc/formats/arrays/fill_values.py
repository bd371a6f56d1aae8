"""The fill value of an array: what voxels are in chunks that are not stored."""

import math
import struct
from collections.abc import Mapping
from typing import Final

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.document_values import shown
from dvidpc.formats.data_types import DataType
from dvidpc.formats.precomputed.info_values import read_member

_WORDS: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_HEX_LENGTH: Final = len("0x7fc00000")


def read_fill(document: Mapping[str, object], data_type: DataType, default: int | None = None) -> int | float:
    """Return the `fill_value` of an array; null is 0, because zarr leaves it open and readers take 0.

    Numbers may be spelled as strings, and true and false are 1 and 0. Floats may also be `NaN`, `Infinity`,
    `-Infinity`, or the bits as `0x7fc00000`.  (zarr v3 section "Fill value")

    Args:
        document: Describes the array.
        data_type: Of its voxels.
        default: What a missing member means; None: it must not be missing.

    Raises:
        FormatError: It is missing or no number, or *data_type* cannot hold it.
    """
    if default is not None and "fill_value" not in document:
        return default
    return read_member(document, "fill_value", lambda value: _parse_fill(value, data_type))


def _parse_fill(value: object, data_type: DataType) -> int | float:
    if value is None:
        return 0
    if data_type is DataType.FLOAT32:
        return _parse_float(value)
    number = _parse_integer(value)
    limits = np.iinfo(data_type.value)
    if not limits.min <= number <= limits.max:
        raise FormatError(f"is {shown(value)}, which {data_type} cannot hold")
    return number


def _parse_integer(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            raise FormatError(f"is {shown(value)}, not an integer") from None
    if not isinstance(value, int):
        raise FormatError(f"is {shown(value)}, not an integer")
    return int(value)


def _parse_float(value: object) -> float:
    try:
        if isinstance(value, str):
            return _parse_float_text(value)
        if isinstance(value, int | float):
            return _as_float32(float(value))
    except (ValueError, OverflowError, struct.error):
        pass
    raise FormatError(f"is {shown(value)}, not a number")


def _parse_float_text(text: str) -> float:
    if text in _WORDS:
        return _WORDS[text]
    if text.startswith("0x") and len(text) == _HEX_LENGTH:
        (number,) = struct.unpack(">f", bytes.fromhex(text[2:]))
        return float(number)
    return _as_float32(float(text))


def _as_float32(number: float) -> float:
    """Return the nearest number that four bytes hold; raise OverflowError if they do not reach so far."""
    (nearest,) = struct.unpack("<f", struct.pack("<f", number))
    return float(nearest)
