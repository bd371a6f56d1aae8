"""N5: the `attributes.json` of a dataset becomes an `ArraySpec`.

(N5 specification 4.0.0, README section "File-system specification") Lists run fastest first.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.chunk_keys import KeyEncoding
from dvidpc.formats.arrays.compressors import Compression
from dvidpc.formats.arrays.document_values import (
    compression_named,
    data_type_named,
    extents,
    extents_of,
    member_object,
    text,
)
from dvidpc.formats.arrays.n5_block import N5Codec
from dvidpc.formats.arrays.spec import ArraySpec, check_chunk_size
from dvidpc.formats.data_types import DataType
from dvidpc.formats.precomputed.info_values import read_member

_COMPRESSIONS: Final[Mapping[str, Compression]] = MappingProxyType(
    {
        "blosc": Compression.BLOSC,
        "bzip2": Compression.BZ2,
        "gzip": Compression.GZIP,
        "lz4": Compression.N5_LZ4,
        "xz": Compression.XZ,
        "zstd": Compression.ZSTD,
    }
)
_SHARDS: Final = ("codecs", "shardSize")
"""Keys of drafts of shards in N5, which no released software writes."""


def parse_dataset(document: Mapping[str, Any]) -> ArraySpec:
    """Return the array that the `attributes.json` of a dataset describes.

    Raises:
        FormatError: A key is missing, invalid or not supported; the message names it.
    """
    for key in _SHARDS:
        if key in document:
            raise FormatError(f"{key} is set; shards in N5 are not supported")
    shape = read_member(document, "dimensions", extents)
    block = read_member(document, "blockSize", extents_of(len(shape)))
    data_type = read_member(document, "dataType", data_type_named)
    dtype = np.dtype(data_type.value)
    check_chunk_size(block, dtype.itemsize)
    name, compressions = _parse_compression(document)
    if name == "jpeg" and data_type is not DataType.UINT8:
        raise FormatError(f"compression is jpeg of {data_type}; only uint8 is supported")
    return ArraySpec(
        shape=shape,
        chunk=block,
        data_type=data_type,
        fill=0,
        keys=KeyEncoding("/"),
        codec=N5Codec(block, dtype.newbyteorder(">"), compressions, is_jpeg=name == "jpeg"),
        stored_as=f"N5 {name}",
        is_fastest_first=True,
    )


def _parse_compression(document: Mapping[str, Any]) -> tuple[str, tuple[Compression, ...]]:
    """Return the name of the compression and its steps; version 0 of N5 has `compressionType` instead."""
    if "compression" not in document:
        name, configuration = read_member(document, "compressionType", text), {}
    else:
        configuration = read_member(document, "compression", member_object)
        try:
            name = read_member(configuration, "type", text)
        except FormatError as error:
            raise FormatError(f"compression {error}") from None
    if name in ("raw", "jpeg"):
        return name, ()
    try:
        found = compression_named(name, _COMPRESSIONS, {})
    except FormatError as error:
        raise FormatError(f"compression {error}, jpeg, raw") from None
    is_zlib = found is Compression.GZIP and configuration.get("useZlib") is True
    return name, (Compression.ZLIB if is_zlib else found,)
