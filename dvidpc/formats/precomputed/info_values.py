"""Readers for the values in an `info` file; they raise `FormatError` if a value is invalid."""

import math
import posixpath
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from dvidpc.errors import FormatError
from dvidpc.types import Point

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_MAX_COORDINATE = 2**40
_MAX_CHUNK_VOXELS = 2**31
_MOST_ENTRIES = 1000
_LEAST_RESOLUTION, _MOST_RESOLUTION = 1e-12, 1e18

REQUIRED: Any = object()
"""Marks a member without a default."""


def read_member(
    entry: Mapping[str, object], name: str, read: Callable[[object], T], default: T = REQUIRED
) -> T:
    """Return the member *name* of *entry* as converted by *read*; *default* if it is missing.

    Raises:
        FormatError: The member is invalid, or it is missing and has no default. The message names it.
    """
    if name not in entry:
        if default is REQUIRED:
            raise FormatError(f"{name} is missing")
        return default
    try:
        return read(entry[name])
    except FormatError as error:
        raise FormatError(f"{name} {error}") from None


def word(value: object) -> str:
    """Return *value* in lower case; words are case-insensitive."""
    if not isinstance(value, str):
        raise FormatError(f"is {_shown(value)}, not a word")
    return value.lower()


def one_of(kind: type[E]) -> Callable[[object], E]:
    """Return a reader of words that are members of *kind*."""

    def read(value: object) -> E:
        try:
            return kind(word(value))
        except ValueError:
            raise FormatError(f"is {_shown(value)}, not one of {', '.join(kind)}") from None

    return read


def integer(value: object) -> int:
    """Return an integer in any of its spellings: `64`, `64.0`, `"64"`."""
    if isinstance(value, str) and len(value) < 20:
        try:
            value = float(value)
        except ValueError:
            raise FormatError(f"is {_shown(value)}, not an integer") from None
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or value != int(value)
    ):
        raise FormatError(f"is {_shown(value)}, not an integer")
    return int(value)


def coordinate(value: object) -> int:
    """Return an integer that is plausible as a voxel coordinate."""
    number = integer(value)
    if abs(number) > _MAX_COORDINATE:
        raise FormatError(f"is {number}, more than 2^40 voxels")
    return number


def positive(value: object) -> int:
    """Return a positive integer."""
    number = coordinate(value)
    if number < 1:
        raise FormatError(f"is {number}, not at least 1")
    return number


def bits(most: int) -> Callable[[object], int]:
    """Return a reader of integers from 0 to *most*, inclusive."""

    def read(value: object) -> int:
        number = integer(value)
        if not 0 <= number <= most:
            raise FormatError(f"is {number}, not between 0 and {most}")
        return number

    return read


def vector(read: Callable[[object], int]) -> Callable[[object], Point]:
    """Return a reader of three numbers along x, y and z."""

    def read_vector(value: object) -> Point:
        if not isinstance(value, list) or len(value) != 3:
            raise FormatError(f"is {_shown(value)}, not three numbers")
        return Point(*(read(number) for number in value))

    return read_vector


def chunk_sizes(value: object) -> tuple[Point, ...]:
    """Return one or more chunk sizes, each of a plausible number of voxels."""
    if not isinstance(value, list) or not value:
        raise FormatError(f"is {_shown(value)}, not a non-empty list of sizes")
    sizes = tuple(vector(positive)(size) for size in value)
    for size in sizes:
        if math.prod(size) > _MAX_CHUNK_VOXELS:
            raise FormatError(f"is {list(size)}, more than 2^31 voxels per chunk")
    return sizes


def resolution(value: object) -> tuple[float, float, float]:
    """Return three positive numbers, which may have fractions."""
    if not isinstance(value, list) or len(value) != 3:
        raise FormatError(f"is {_shown(value)}, not three numbers")
    x, y, z = (positive_float(number) for number in value)
    return x, y, z


def positive_float(value: object) -> float:
    """Return a positive number, in any of its spellings, that is plausible as a length or a factor."""
    try:
        number = (
            float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
        )
    except (ValueError, OverflowError):
        number = math.nan
    if not _LEAST_RESOLUTION <= number <= _MOST_RESOLUTION:
        raise FormatError(f"is {_shown(value)}, not a positive number")
    return number


def relative_path(value: object) -> str:
    """Return a normalised relative path, which may start with `..`; empty for `.`."""
    if not isinstance(value, str) or not value or value.startswith("/") or "://" in value or "\0" in value:
        raise FormatError(f"is {_shown(value)}, not a relative path")
    key = posixpath.normpath(value)
    return "" if key == "." else key


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def label_block(value: object) -> Point:
    """Return a block size of `compressed_segmentation`."""
    (size,) = chunk_sizes([value])
    return size


def number(value: object) -> float:
    """Return a number, which may be infinite or NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FormatError("holds something other than numbers")
    try:
        return float(value)
    except OverflowError:
        return math.inf


def text(value: object) -> str:
    """Return a string."""
    if not isinstance(value, str):
        raise FormatError("is not a string")
    return value


def json_object(value: object) -> Mapping[str, object]:
    """Return a JSON object."""
    if not isinstance(value, dict):
        raise FormatError("is not a JSON object")
    return value


def list_of(read: Callable[[object], T]) -> Callable[[object], tuple[T, ...]]:
    """Return a reader of lists whose entries *read* converts."""

    def read_list(value: object) -> tuple[T, ...]:
        if not isinstance(value, list) or len(value) > _MOST_ENTRIES:
            raise FormatError(f"is not a list of at most {_MOST_ENTRIES} entries")
        entries = []
        for at, entry in enumerate(value):
            try:
                entries.append(read(entry))
            except FormatError as error:
                raise FormatError(f"entry {at}: {error}") from None
        return tuple(entries)

    return read_list
