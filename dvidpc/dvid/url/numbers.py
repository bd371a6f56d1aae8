"""Parse numbers as Go's `strconv` does, with its error texts, because DVID's clients and users know those."""

import math
import re
from typing import Final

from dvidpc.errors import RequestError

SHOWN: Final = 40
"""Characters of a wrong text that an error message quotes."""
LEAST_INT32, MOST_INT32 = -(2**31), 2**31 - 1

_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_UNSIGNED = re.compile(r"[0-9]+", re.ASCII)
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
_MOST_FLOAT_DIGITS = 400


def parse_int32(text: str, function: str) -> int:
    """Parse a 32-bit integer as Go's `strconv.<function>` does.

    Raises:
        RequestError: *text* is not an integer in ASCII digits, or does not fit in 32 bits.
    """
    if not _INTEGER.fullmatch(text):
        raise _syntax_error(text, function)
    if len(text) > SHOWN or not LEAST_INT32 <= int(text) <= MOST_INT32:
        raise out_of_range(text, function)
    return int(text)


def parse_uint8(text: str) -> int:
    """Parse an unsigned 8-bit integer as Go's `strconv.ParseUint` does.

    Raises:
        RequestError: *text* is not an unsigned integer in ASCII digits, or does not fit in 8 bits.
    """
    if not _UNSIGNED.fullmatch(text):
        raise _syntax_error(text, "ParseUint")
    if len(text) > SHOWN or int(text) > 255:
        raise out_of_range(text, "ParseUint")
    return int(text)


def parse_uint32(text: str) -> int:
    """Parse an unsigned 32-bit integer as Go's `strconv.ParseUint` does.

    Raises:
        RequestError: *text* is not an unsigned integer in ASCII digits, or does not fit in 32 bits.
    """
    number = parse_uint64(text)
    if number >= 2**32:
        raise out_of_range(text, "ParseUint")
    return number


def parse_uint64(text: str) -> int:
    """Parse a label as Go's `strconv.ParseUint` does.

    Raises:
        RequestError: *text* is not an unsigned integer in ASCII digits, or does not fit in 64 bits.
    """
    if not _UNSIGNED.fullmatch(text):
        raise _syntax_error(text, "ParseUint")
    if len(text) > SHOWN or int(text) >= 2**64:
        raise out_of_range(text, "ParseUint")
    return int(text)


def parse_float(text: str) -> float:
    """Parse a decimal number as Go's `strconv.ParseFloat` does.

    Raises:
        RequestError: *text* is not a decimal number, or is not finite.
    """
    if not _FLOAT.fullmatch(text) or len(text) > _MOST_FLOAT_DIGITS:
        raise _syntax_error(text, "ParseFloat")
    number = float(text)
    if not math.isfinite(number):
        raise out_of_range(text, "ParseFloat")
    return number


def out_of_range(text: str, function: str) -> RequestError:
    """Return Go's error for a number that does not fit."""
    return RequestError(f'strconv.{function}: parsing "{text[:SHOWN]}": value out of range')


def _syntax_error(text: str, function: str) -> RequestError:
    return RequestError(f'strconv.{function}: parsing "{text[:SHOWN]}": invalid syntax')
