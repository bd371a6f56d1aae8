"""zarr v3: a `zarr.json` document of an array becomes an `ArraySpec`.

(zarr v3 core specification, section "Array metadata"; unknown keys are ignored)
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.chunk_keys import KeyEncoding
from dvidpc.formats.arrays.document_values import (
    data_type_named,
    extents,
    extents_of,
    member_list,
    shown,
    text,
)
from dvidpc.formats.arrays.fill_values import read_fill
from dvidpc.formats.arrays.spec import ArraySpec, check_chunk_size
from dvidpc.formats.arrays.zarr3_codecs import Extension, parse_codecs, parse_extension
from dvidpc.formats.data_types import DataType
from dvidpc.formats.precomputed.info_values import integer, read_member

_SEPARATORS: Final = {"default": "/", "v2": "."}
"""Encodings of chunk keys, and what separates the numbers where a document does not say."""


def parse_zarr_json(document: Mapping[str, Any]) -> ArraySpec:
    """Return the array that a `zarr.json` describes.

    Raises:
        FormatError: A key is missing, invalid or not supported; the message names it.
    """
    if (version := read_member(document, "zarr_format", integer)) != 3:
        raise FormatError(f"zarr_format is {version}, not 3")
    if (node := read_member(document, "node_type", text)) != "array":
        raise FormatError(f"node_type is {shown(node)}, not 'array'")
    shape = read_member(document, "shape", extents)
    rank = len(shape)
    grid = read_member(document, "chunk_grid", parse_extension)
    chunk = _chunk_shape(grid, rank)
    data_type = read_member(document, "data_type", _data_type)
    read_member(document, "storage_transformers", _refuse_transformers, default=None)
    codecs = read_member(document, "codecs", member_list)
    dtype: np.dtype[Any] = np.dtype(data_type.value)
    chain = parse_codecs(codecs, chunk, dtype)
    check_chunk_size(chain.codec.shape, dtype.itemsize)
    return ArraySpec(
        shape=shape,
        chunk=chain.codec.shape,
        data_type=data_type,
        fill=read_fill(document, data_type),
        keys=_key_encoding(read_member(document, "chunk_key_encoding", parse_extension)),
        codec=chain.codec,
        stored_as=f"zarr v3 {chain.name}",
        shard=chain.shard,
        dimension_names=read_member(document, "dimension_names", parse_names(rank), default=()),
    )


def parse_names(rank: int) -> Callable[[object], tuple[str | None, ...]]:
    """Return a reader of a name or null for each of *rank* dimensions; null altogether means no names."""

    def read(value: object) -> tuple[str | None, ...]:
        if value is None:
            return ()
        names = member_list(value)
        if len(names) != rank:
            raise FormatError(f"is {shown(value)}; the array has {rank} dimensions")
        return tuple(None if name is None else text(name) for name in names)

    return read


def _data_type(value: object) -> DataType:
    return data_type_named(parse_extension(value).name)


def _chunk_shape(grid: Extension, rank: int) -> tuple[int, ...]:
    if grid.name != "regular":
        raise FormatError(f"chunk_grid is {shown(grid.name)}; only 'regular' is supported")
    return read_member(grid.configuration, "chunk_shape", extents_of(rank))


def _key_encoding(encoding: Extension) -> KeyEncoding:
    """Return the names of chunks: `c/0/0` with `/` or `.`, or `0.0` with `.` or `/`."""
    if encoding.name not in _SEPARATORS:
        raise FormatError(f"chunk_key_encoding is {shown(encoding.name)}, not 'default' or 'v2'")
    separator = encoding.configuration.get("separator", _SEPARATORS[encoding.name])
    if separator not in (".", "/"):
        raise FormatError(f"chunk_key_encoding separator is {shown(separator)}, not . or /")
    return KeyEncoding(str(separator), "c" if encoding.name == "default" else "")


def _refuse_transformers(value: object) -> None:
    if value is not None and (transformers := member_list(value)):
        raise FormatError(f"are {shown(transformers)}; none is supported")
