"""What is fuzzed: every parser and decoder that meets bytes of a client, a bucket or a file.

A target takes any bytes. What it refuses it must refuse by an error of ours; anything else is a bug.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import tomli

from dvidpc.config import read_config
from dvidpc.data.repo import Repo
from dvidpc.dvid.url.coordinates import parse_block_coord, parse_blocks, parse_point
from dvidpc.dvid.url.query import parse_payload
from dvidpc.errors import DvidpcError
from dvidpc.formats.codec import ChunkShape, check_jpeg, decode_chunk, find_obstacle, may_crash
from dvidpc.formats.payloads import JPEG
from dvidpc.formats.precomputed.info import DataType, Encoding, parse_info
from dvidpc.formats.precomputed.sharding import (
    DataEncoding,
    ShardHash,
    ShardingSpec,
    decode_minishard_index,
    decode_shard_index_entry,
)
from dvidpc.storage.content_encoding import decode_content
from dvidpc.storage.ref import parse_endpoint, parse_ref
from dvidpc.types import Point

_SPEC = ShardingSpec(
    preshift_bits=1,
    hash=ShardHash.IDENTITY,
    minishard_bits=2,
    shard_bits=1,
    minishard_index_encoding=DataEncoding.RAW,
    data_encoding=DataEncoding.RAW,
)
_MOST = 2**20
_SIDE = Point(16, 16, 16)


def _text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")


def query(data: bytes) -> None:
    """The strings of a URL."""
    text = _text(data)
    for parse in (
        lambda: parse_blocks(text, 100),
        lambda: parse_point(text, "Size"),
        lambda: parse_block_coord(text),
        lambda: parse_payload(text, JPEG),
    ):
        _run(parse)


def uuid(data: bytes) -> None:
    """The names of a version."""
    _run(lambda: Repo("28841c8277e044a7b187dda03e18da13", "", "", 0.0).resolve(_text(data)))


def info(data: bytes) -> None:
    """A volume's `info`."""
    _run(lambda: parse_info(data))


def shard_entry(data: bytes) -> None:
    """An entry of a shard index."""
    _run(lambda: decode_shard_index_entry(data, _SPEC))


def minishard(data: bytes) -> None:
    """A minishard index, and where it says chunks lie."""

    def decode() -> None:
        index = decode_minishard_index(data, _SPEC)
        for chunk_id in (0, 1, 2**63, 2**64 - 1):
            index.find(chunk_id)

    _run(decode)


def content(data: bytes) -> None:
    """A Content-Encoding."""
    for encoding in ("gzip", "br", "zstd", "gzip, br", "aws-chunked,gzip", "nonsense"):
        _run(lambda encoding=encoding: decode_content(data, encoding, max_size=_MOST))  # type: ignore[misc]


def chunk(data: bytes) -> None:
    """A chunk, by every encoding, for several shapes."""
    for encoding in Encoding:
        for data_type, channels in ((DataType.UINT8, 1), (DataType.UINT8, 3), (DataType.UINT64, 1)):
            if may_crash(encoding) or find_obstacle(encoding, data_type, channels):  # those run apart
                continue
            shape = ChunkShape(_SIDE, channels, data_type)
            _run(lambda e=encoding, s=shape: decode_chunk(data, e, s))  # type: ignore[misc]
    _run(lambda: check_jpeg(data, ChunkShape(_SIDE, 1, DataType.UINT8)))


def ref(data: bytes) -> None:
    """Where a volume lies."""
    _run(lambda: parse_ref(_text(data)))
    _run(lambda: parse_endpoint(_text(data)))


def config(data: bytes) -> None:
    """A configuration file."""
    try:
        document = tomli.loads(data.decode())
    except (ValueError, RecursionError):
        return
    _run(lambda: read_config(document, Path("/nowhere/config.toml")))


def _run(parse: Callable[[], object]) -> None:
    try:
        parse()
    except DvidpcError:
        return


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = MappingProxyType(
    {one.__name__: one for one in (query, uuid, info, shard_entry, minishard, content, chunk, ref, config)}
)
