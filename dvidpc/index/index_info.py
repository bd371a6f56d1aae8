"""The `info` of a label index: which volume it describes, and where its parts are."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import msgspec

from dvidpc.errors import FormatError
from dvidpc.formats.precomputed.info import parse_sharding
from dvidpc.formats.precomputed.info_values import coordinate, integer, read_member, vector
from dvidpc.formats.precomputed.sharding import ShardingSpec
from dvidpc.formats.precomputed.side_documents import decode_document, expect_type
from dvidpc.index.layout import BLOCK_SIZE, TABLE_PAGE_ROWS
from dvidpc.index.size_table import TablePart
from dvidpc.types import Point

INDEX_TYPE: Final = "dvidpc_label_index"
VERSION: Final = 1
MAX_INDEX_INFO_SIZE: Final = 16 * 2**20
"""Size limit in bytes; an index of 10^11 labels has 10 MB."""


@dataclass(frozen=True, slots=True)
class IndexedVolume:
    """The volume that an index describes, as it was when the index was built."""

    url: str
    """Where it lies, for people; a volume may move."""
    scale: str
    """The key of the scale that was read."""
    info_sha256: str
    """Of the volume's `info`, its Content-Encoding removed: the index of any other `info` is stale."""
    info_etag: str
    """Of the volume's `info`, for people; empty if the store gives none."""
    start: Point
    """The first voxel."""
    stop: Point
    """The voxel after the last along each axis."""


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """The content of the `info` of an index."""

    volume: IndexedVolume
    sharding: ShardingSpec
    parts: tuple[TablePart, ...]
    """The parts of the table, ascending."""
    labels: int
    """How many labels the volume has; 0 is none."""
    blocks: int
    """How many pairs of a label and a block that holds it."""
    voxels: int
    """How many voxels have a label."""
    max_label: int
    """The greatest label; 0 if there is none."""


def encode_index_info(info: IndexInfo) -> bytes:
    """Return the JSON of an `info`; the same for the same value."""
    volume, spec = info.volume, info.sharding
    document = {
        "@type": INDEX_TYPE,
        "version": VERSION,
        "volume": {
            "url": volume.url,
            "scale": volume.scale,
            "info_sha256": volume.info_sha256,
            "info_etag": volume.info_etag,
            "start": volume.start,
            "stop": volume.stop,
        },
        "block_size": [BLOCK_SIZE] * 3,
        "sharding": {
            "@type": "neuroglancer_uint64_sharded_v1",
            "preshift_bits": spec.preshift_bits,
            "hash": spec.hash,
            "minishard_bits": spec.minishard_bits,
            "shard_bits": spec.shard_bits,
            "minishard_index_encoding": spec.minishard_index_encoding,
            "data_encoding": spec.data_encoding,
        },
        "table": {"page_rows": TABLE_PAGE_ROWS, "parts": [part._asdict() for part in info.parts]},
        "labels": info.labels,
        "blocks": info.blocks,
        "voxels": info.voxels,
        "max_label": info.max_label,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def parse_index_info(data: bytes) -> IndexInfo:
    """Parse the `info` of an index.

    Raises:
        FormatError: It is malformed, or of a version that this program does not know.
    """
    document = decode_document(data)
    expect_type(document, INDEX_TYPE)
    if (version := read_member(document, "version", integer)) != VERSION:
        raise FormatError(f"version is {version}; this program reads version {VERSION}")
    if (size := read_member(document, "block_size", vector(integer))) != (BLOCK_SIZE,) * 3:
        raise FormatError(f"block_size is {list(size)}, not {BLOCK_SIZE} along each axis")
    sharding = read_member(document, "sharding", parse_sharding)
    if sharding is None:
        raise FormatError("sharding is null")
    info = IndexInfo(
        volume=read_member(document, "volume", _parse_volume),
        sharding=sharding,
        parts=read_member(document, "table", _parse_table),
        **{name: read_member(document, name, _count) for name in ("labels", "blocks", "voxels", "max_label")},
    )
    last = info.parts[-1].last if info.parts else 0
    if sum(part.rows for part in info.parts) != info.labels or last != info.max_label:
        raise FormatError("table does not have labels rows, or does not end with max_label")
    return info


def _parse_volume(value: object) -> IndexedVolume:
    entry = _object(value)
    return IndexedVolume(
        **{name: read_member(entry, name, _text) for name in ("url", "scale", "info_sha256", "info_etag")},
        start=read_member(entry, "start", vector(coordinate)),
        stop=read_member(entry, "stop", vector(coordinate)),
    )


def _parse_table(value: object) -> tuple[TablePart, ...]:
    entry = _object(value)
    if (rows := read_member(entry, "page_rows", integer)) != TABLE_PAGE_ROWS:
        raise FormatError(f"page_rows is {rows}, not {TABLE_PAGE_ROWS}")
    parts = entry.get("parts")
    if not isinstance(parts, list):
        raise FormatError("parts is not a list")
    found = [_parse_part(_object(part)) for part in parts]
    if any(part.last < part.first for part in found) or any(
        after.first <= before.last for before, after in pairwise(found)
    ):
        raise FormatError("parts are not ascending")
    return tuple(found)


def _parse_part(entry: dict[str, Any]) -> TablePart:
    part = TablePart(*(read_member(entry, name, _count) for name in TablePart._fields))
    if part.rows == 0:
        raise FormatError("parts has one without rows")
    return part


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FormatError("is not a JSON object")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise FormatError("is not a text")
    return value


def _count(value: object) -> int:
    """Return an unsigned integer of 64 bits; exact, so never by way of a float."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**64:
        raise FormatError("is not an unsigned integer of 64 bits")
    return value
