"""Readers for values that the documents of zarr and N5 share; they raise `FormatError`."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.compressors import Compression
from dvidpc.formats.data_types import DataType
from dvidpc.formats.precomputed.info_values import integer, positive

MAX_RANK: Final = 16
"""Most dimensions of an array; real ones have at most six."""

_XZ: Final = 1
"""Number of the xz container in `lzma`'s parameters (Python `lzma.FORMAT_XZ`)."""


def shown(value: object) -> str:
    """Return a value for a message, in at most 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def extents(value: object) -> tuple[int, ...]:
    """Return a positive number for each dimension."""
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_RANK:
        raise FormatError(f"is {shown(value)}, not a list of 1 to {MAX_RANK} numbers")
    return tuple(positive(number) for number in value)


def extents_of(rank: int) -> Callable[[object], tuple[int, ...]]:
    """Return a reader of a positive number for each of *rank* dimensions."""

    def read(value: object) -> tuple[int, ...]:
        numbers = extents(value)
        if len(numbers) != rank:
            raise FormatError(f"is {shown(value)}; the array has {rank} dimensions")
        return numbers

    return read


def permutation(value: object) -> tuple[int, ...]:
    """Return the numbers from 0 up to the length of a list, each once."""
    if not isinstance(value, list) or len(value) > MAX_RANK + 1:
        raise FormatError(f"is {shown(value)}, not a list of dimensions")
    order = tuple(integer(number) for number in value)
    if sorted(order) != list(range(len(order))):
        raise FormatError(f"is {shown(value)}, which does not name each dimension once")
    return order


def member_object(value: object) -> dict[str, Any]:
    """Return a JSON object."""
    if not isinstance(value, dict):
        raise FormatError(f"is {shown(value)}, not a JSON object")
    return value


def member_list(value: object) -> list[Any]:
    """Return a JSON array."""
    if not isinstance(value, list):
        raise FormatError(f"is {shown(value)}, not a list")
    return value


def text(value: object) -> str:
    """Return a string as it is."""
    if not isinstance(value, str):
        raise FormatError(f"is {shown(value)}, not a string")
    return value


def data_type_named(name: object) -> DataType:
    """Return the data type called *name*, where `bool` counts as uint8."""
    if name == "bool":
        return DataType.UINT8
    try:
        return DataType(text(name))
    except ValueError:
        known = ", ".join(DataType)
        raise FormatError(f"is {shown(name)}, which is not served; known are {known} and bool") from None


def compression_named(
    name: str, table: Mapping[str, Compression], configuration: Mapping[str, object]
) -> Compression:
    """Return the compression that a document names.

    Raises:
        FormatError: It is not in *table*, or is lzma in another container than xz.
    """
    found = table.get(name)
    if found is None:
        raise FormatError(f"is {shown(name)}, which is not supported; known are {', '.join(sorted(table))}")
    if found is Compression.XZ and configuration.get("format", _XZ) != _XZ:
        raise FormatError(f"is lzma of format {shown(configuration['format'])}; only 1, xz, is supported")
    return found
