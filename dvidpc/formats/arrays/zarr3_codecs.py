"""The `codecs` of a zarr v3 array: transposes, one step from numbers to bytes, and compressions.

(zarr v3 core specification, section "Codecs"; codecs bytes, transpose, gzip, zstd, blosc, crc32c and
sharding_indexed)
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.chunk_codec import ZarrCodec
from dvidpc.formats.arrays.compressors import Compression
from dvidpc.formats.arrays.document_values import (
    compression_named,
    extents_of,
    member_list,
    member_object,
    permutation,
    shown,
    text,
)
from dvidpc.formats.arrays.shard_index import MAX_INDEX_SIZE, ShardLayout
from dvidpc.formats.arrays.zarr2 import COMPRESSORS
from dvidpc.formats.precomputed.info_values import read_member

_COMPRESSIONS: Final[Mapping[str, Compression]] = MappingProxyType(
    {
        "blosc": Compression.BLOSC,
        "crc32c": Compression.CRC32C,
        "gzip": Compression.GZIP,
        "zstd": Compression.ZSTD,
        **{f"numcodecs.{name}": compression for name, compression in COMPRESSORS.items()},
    }
)
_SHARDED: Final = "sharding_indexed"
_BYTES: Final = frozenset({"bytes", "endian"})
"""Names of the codec that writes numbers as they are; `endian` is its name in drafts of the format."""


class Extension(NamedTuple):
    """A named part of a document: `{"name": ..., "configuration": {...}}`, or its name alone."""

    name: str
    configuration: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CodecChain:
    """What the codecs of an array amount to."""

    codec: ZarrCodec
    """Of a chunk; of an inner chunk if the array is sharded."""
    shard: ShardLayout | None

    @property
    def name(self) -> str:
        """The compressions, for people."""
        packed = "+".join(self.codec.compressions) or "raw"
        return f"{packed}, sharded" if self.shard else packed


def parse_extension(value: object) -> Extension:
    """Return a named part of a document.

    Raises:
        FormatError: It is neither a name nor an object with a name.
    """
    if isinstance(value, str):
        return Extension(value, {})
    found = member_object(value)
    configuration: dict[str, Any] = {}
    if "configuration" in found:
        configuration = read_member(found, "configuration", member_object)
    return Extension(read_member(found, "name", text), configuration)


def parse_codecs(codecs: Sequence[object], shape: tuple[int, ...], dtype: np.dtype[Any]) -> CodecChain:
    """Return what the codecs of an array do to a chunk.

    Args:
        codecs: In the order of encoding.
        shape: Extent of a chunk of the grid: of a shard if the array is sharded.
        dtype: Of the voxels.

    Raises:
        FormatError: A codec is malformed or not supported, or they do not fit together.
    """
    perm, serializer, rest = _split([parse_extension(one) for one in codecs], tuple(range(len(shape))))
    if serializer.name != _SHARDED:
        return CodecChain(_plain_codec(shape, dtype, perm, serializer, rest), None)
    if rest:
        raise FormatError(f"codecs: {shown(rest[0].name)} behind {_SHARDED} is not supported")
    return _parse_sharding(serializer, shape, dtype, perm)


def _split(
    codecs: list[Extension], perm: tuple[int, ...]
) -> tuple[tuple[int, ...], Extension, list[Extension]]:
    """Split codecs at the one that makes bytes.

    Args:
        codecs: In the order of encoding.
        perm: The dimension of the array that each dimension is before the first codec.

    Returns:
        The same after the transposes, the codec that makes bytes, and the codecs after it.
    """
    for position, codec in enumerate(codecs):
        if codec.name != "transpose":
            return perm, codec, codecs[position + 1 :]
        perm = tuple(perm[axis] for axis in _transpose_order(codec, len(perm)))
    raise FormatError("codecs has none that makes bytes, such as 'bytes'")


def _transpose_order(codec: Extension, rank: int) -> tuple[int, ...]:
    """Return a transpose's `order`: encoded dimension i is decoded dimension `order[i]`."""
    order = codec.configuration.get("order")
    if order == "C":
        return tuple(range(rank))
    if order == "F":
        return tuple(reversed(range(rank)))
    try:
        numbers = permutation(order)
    except FormatError as error:
        raise FormatError(f"codecs: transpose order {error}") from None
    if len(numbers) != rank:
        raise FormatError(f"codecs: transpose order {list(numbers)} does not have {rank} dimensions")
    return numbers


def _plain_codec(
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    perm: tuple[int, ...],
    serializer: Extension,
    rest: Sequence[Extension],
) -> ZarrCodec:
    stored = dtype.newbyteorder(_byte_order(serializer, dtype.itemsize))
    return ZarrCodec(shape, stored, perm, tuple(map(_compression, rest)))


def _byte_order(serializer: Extension, itemsize: int) -> Literal["<", ">"]:
    if serializer.name not in _BYTES:
        raise FormatError(f"codecs: {shown(serializer.name)} is not supported")
    endian = serializer.configuration.get("endian")
    if endian not in ("little", "big") and (endian is not None or itemsize > 1):
        raise FormatError(f"codecs: endian of bytes is {shown(endian)}, not little or big")
    return ">" if endian == "big" else "<"


def _compression(codec: Extension) -> Compression:
    try:
        return compression_named(codec.name, _COMPRESSIONS, codec.configuration)
    except FormatError as error:
        raise FormatError(f"codecs: one {error}") from None


def _parse_sharding(
    sharding: Extension, shape: tuple[int, ...], dtype: np.dtype[Any], perm: tuple[int, ...]
) -> CodecChain:
    """Return the codec of inner chunks and the layout of shards.

    A shard may be transposed before it is cut: `chunk_shape` and the index are in the order after that.
    """
    inner = read_member(sharding.configuration, "chunk_shape", extents_of(len(shape)))
    chunk = tuple(inner[perm.index(axis)] for axis in range(len(shape)))
    if any(n % c for n, c in zip(shape, chunk, strict=True)):
        raise FormatError(f"codecs: chunk_shape {list(inner)} does not divide the shard, {list(shape)}")
    cells = tuple(n // c for n, c in zip(shape, chunk, strict=True))
    codecs = read_member(sharding.configuration, "codecs", member_list)
    inner_perm, serializer, rest = _split([parse_extension(one) for one in codecs], perm)
    codec = _plain_codec(chunk, dtype, inner_perm, serializer, rest)
    return CodecChain(codec, _parse_layout(sharding.configuration, shape, cells, perm))


def _parse_layout(
    configuration: Mapping[str, Any], shape: tuple[int, ...], cells: tuple[int, ...], perm: tuple[int, ...]
) -> ShardLayout:
    location = configuration.get("index_location", "end")
    if location not in ("start", "end"):
        raise FormatError(f"codecs: index_location is {shown(location)}, not start or end")
    codecs = read_member(configuration, "index_codecs", member_list)
    index_perm, serializer, rest = _split([parse_extension(one) for one in codecs], (*perm, len(perm)))
    if [one.name for one in rest] not in ([], ["crc32c"]):
        raise FormatError(f"codecs: index_codecs are {shown(codecs)}; only crc32c may follow bytes")
    layout = ShardLayout(
        shape=shape,
        cells=cells,
        is_index_at_start=location == "start",
        has_checksum=bool(rest),
        is_big_endian=_byte_order(serializer, 8) == ">",
        perm=index_perm,
    )
    if layout.index_size > MAX_INDEX_SIZE:
        raise FormatError(
            f"codecs: a shard has {math.prod(cells):,} inner chunks, too many to keep its index"
        )
    return layout
