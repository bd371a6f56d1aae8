"""zarr v2: a `.zarray` document becomes an `ArraySpec`.

(zarr v2 specification, section "Arrays")
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.chunk_codec import ZarrCodec
from dvidpc.formats.arrays.chunk_keys import KeyEncoding
from dvidpc.formats.arrays.compressors import Compression
from dvidpc.formats.arrays.document_values import (
    compression_named,
    data_type_named,
    extents,
    extents_of,
    member_list,
    member_object,
    shown,
    text,
)
from dvidpc.formats.arrays.fill_values import read_fill
from dvidpc.formats.arrays.spec import ArraySpec, check_chunk_size
from dvidpc.formats.data_types import DataType
from dvidpc.formats.precomputed.info_values import integer, read_member

COMPRESSORS: Final[Mapping[str, Compression]] = MappingProxyType(
    {
        "blosc": Compression.BLOSC,
        "bz2": Compression.BZ2,
        "gzip": Compression.GZIP,
        "lz4": Compression.LZ4,
        "lzma": Compression.XZ,
        "zlib": Compression.ZLIB,
        "zstd": Compression.ZSTD,
    }
)
"""Compressors by the `id` that numcodecs gives them."""

_TYPESTR: Final = re.compile("([<>|])([biuf])([1248])", re.ASCII)
_KINDS: Final = {"b": "bool", "i": "int", "u": "uint", "f": "float"}


def parse_zarray(
    document: Mapping[str, Any], names: tuple[str | None, ...], separator: str | None
) -> ArraySpec:
    """Return the array that a `.zarray` describes.

    Args:
        document: The document.
        names: Names of its dimensions, from `_ARRAY_DIMENSIONS`; empty if there are none.
        separator: What separates the numbers in names of chunks; None: as the document says.

    Raises:
        FormatError: A key is missing, invalid or not supported; the message names it.
    """
    if (version := read_member(document, "zarr_format", integer)) != 2:
        raise FormatError(f"zarr_format is {version}, not 2")
    shape = read_member(document, "shape", extents)
    chunk = read_member(document, "chunks", extents_of(len(shape)))
    data_type, dtype = read_member(document, "dtype", _parse_dtype)
    check_chunk_size(chunk, dtype.itemsize)
    read_member(document, "filters", _refuse_filters, default=None)
    compressions = _parse_compressor(document)
    dimensions = range(len(shape))
    is_fortran = read_member(document, "order", _parse_order, default=False)
    perm = tuple(reversed(dimensions)) if is_fortran else tuple(dimensions)
    own_separator = read_member(document, "dimension_separator", _parse_separator, default=".")
    packed = compressions[0] if compressions else "raw"
    return ArraySpec(
        shape=shape,
        chunk=chunk,
        data_type=data_type,
        fill=read_fill(document, data_type, default=0),
        keys=KeyEncoding(separator or own_separator),
        codec=ZarrCodec(chunk, dtype, perm, compressions),
        stored_as=f"zarr v2 {packed}",
        dimension_names=names,
    )


def _parse_dtype(value: object) -> tuple[DataType, np.dtype[Any]]:
    """Return the type of voxels and that of stored numbers, which has a byte order."""
    found = _TYPESTR.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise FormatError(f"is {shown(value)}; only simple integers and floats are served")
    order, kind, size = found.groups()
    name = _KINDS[kind] if kind == "b" else f"{_KINDS[kind]}{8 * int(size)}"
    if (order == "|") != (size == "1") and size != "1":
        raise FormatError(f"is {shown(value)}, which has no byte order")
    data_type = data_type_named(name)
    return data_type, np.dtype(data_type.value).newbyteorder(">" if order == ">" else "<")


def _parse_compressor(document: Mapping[str, Any]) -> tuple[Compression, ...]:
    if document.get("compressor") is None:
        return ()
    configuration = read_member(document, "compressor", member_object)
    try:
        return (compression_named(read_member(configuration, "id", text), COMPRESSORS, configuration),)
    except FormatError as error:
        raise FormatError(f"compressor {error}") from None


def _refuse_filters(value: object) -> None:
    if value is not None and (filters := member_list(value)):
        ids = [one.get("id") if isinstance(one, dict) else one for one in filters]
        raise FormatError(f"are {shown(ids)}; no filter is supported")


def _parse_order(value: object) -> bool:
    if value not in ("C", "F"):
        raise FormatError(f"is {shown(value)}, not C or F")
    return value == "F"


def _parse_separator(value: object) -> str:
    if value is None:
        return "."
    if value not in (".", "/"):
        raise FormatError(f"is {shown(value)}, not . or /")
    return str(value)
