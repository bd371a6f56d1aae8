"""The `info` file of a precomputed volume: liberal in what it accepts, strict in what it yields.

Spellings that any reader of the format accepts are accepted (upper-case words, `"1"`, `64.0`, a
missing `@type` or `voxel_offset`, `"sharding": null`, stray keys). What one scale has wrong costs that
scale; what the volume has wrong costs the volume.  (precomputed volume.md#info-json-file-specification)
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from dvidpc.errors import FormatError
from dvidpc.formats.grid import Grid
from dvidpc.formats.precomputed.info_values import (
    bits,
    chunk_sizes,
    coordinate,
    label_block,
    one_of,
    positive,
    read_member,
    relative_path,
    resolution,
    vector,
    word,
)
from dvidpc.formats.precomputed.sharding import DataEncoding, ShardHash, ShardingSpec
from dvidpc.types import Point

MAX_INFO_SIZE = 16 * 2**20
"""Bytes of the largest `info` that is read; real ones have a few thousand."""

_MAX_SCALES = 64
_SHARDED_TYPE = "neuroglancer_uint64_sharded_v1"
_ID_BITS = 64


class DataType(StrEnum):
    """What a voxel is."""

    UINT8 = "uint8"
    INT8 = "int8"
    UINT16 = "uint16"
    INT16 = "int16"
    UINT32 = "uint32"
    INT32 = "int32"
    UINT64 = "uint64"
    FLOAT32 = "float32"

    @property
    def itemsize(self) -> int:
        """Bytes of one voxel of one channel."""
        return int(self.value.lstrip("uintfloa")) // 8


class Encoding(StrEnum):
    """How the chunks of a scale are encoded."""

    RAW = "raw"
    JPEG = "jpeg"
    PNG = "png"
    JXL = "jxl"
    COMPRESSED_SEGMENTATION = "compressed_segmentation"
    COMPRESSO = "compresso"
    CRACKLE = "crackle"
    FPZIP = "fpzip"
    KEMPRESSED = "kempressed"
    ZFPC = "zfpc"


@dataclass(frozen=True, slots=True)
class Scale:
    """One resolution of a volume."""

    level: int
    """Position in the `info`; 0 is the finest."""
    key: str
    """Where its chunks are, below the directory of the `info`; may climb out of it with `..`."""
    grids: tuple[Grid, ...]
    """One for each of `chunk_sizes`; each is a complete copy of the scale."""
    resolution_nm: tuple[float, float, float]
    encoding: Encoding
    label_block: Point | None
    """`compressed_segmentation_block_size`; None where the encoding is another."""
    sharding: ShardingSpec | None
    """None: every chunk is an object of its own."""
    hidden: bool

    @property
    def size(self) -> Point:
        """Extent in voxels."""
        return self.grids[0].size

    @property
    def offset(self) -> Point:
        """The first voxel."""
        return self.grids[0].offset


@dataclass(frozen=True, slots=True)
class RefusedScale:
    """A scale that cannot be served, and why."""

    level: int
    reason: str
    """One line that names the key at fault."""


@dataclass(frozen=True, slots=True)
class VolumeInfo:
    """What an `info` file says."""

    data_type: DataType
    num_channels: int
    scales: tuple[Scale, ...]
    refused: tuple[RefusedScale, ...]


def parse_info(data: bytes) -> VolumeInfo:
    """Read an `info` file.

    Raises:
        FormatError: It is no JSON object, not an image, or no scale of it can be served.
    """
    try:
        document = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise FormatError("is not a JSON object")
    volume_type = read_member(document, "type", word)
    if volume_type != "image":
        raise FormatError(f"type is {volume_type!r}; only image volumes are served")
    data_type = read_member(document, "data_type", one_of(DataType))
    num_channels = read_member(document, "num_channels", positive)
    entries = document.get("scales")
    if not isinstance(entries, list) or not entries:
        raise FormatError("scales is not a list of at least one scale")
    if len(entries) > _MAX_SCALES:
        raise FormatError(f"scales has {len(entries)} entries; at most {_MAX_SCALES} are served")

    scales: list[Scale] = []
    refused: list[RefusedScale] = []
    for level, entry in enumerate(entries):
        try:
            scales.append(_parse_scale(level, entry))
        except FormatError as error:
            refused.append(RefusedScale(level, str(error)))
    if not scales:
        raise FormatError(f"no scale can be served: scale {refused[0].level}: {refused[0].reason}")
    return VolumeInfo(data_type, num_channels, tuple(scales), tuple(refused))


def parse_redirect(data: bytes) -> str | None:
    """Where an `info` sends its reader instead; None if it is an `info` itself.

    The member is not in the specification; neuroglancer and cloud-volume follow it.
    """
    try:
        document = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    redirect = document.get("redirect") if isinstance(document, dict) else None
    return redirect if isinstance(redirect, str) and redirect else None


def _parse_scale(level: int, entry: object) -> Scale:
    if not isinstance(entry, dict):
        raise FormatError("is not a JSON object")
    size = read_member(entry, "size", vector(positive))
    offset = read_member(entry, "voxel_offset", vector(coordinate), default=Point(0, 0, 0))
    sharding = read_member(entry, "sharding", _parse_sharding, default=None)
    copies = read_member(entry, "chunk_sizes", chunk_sizes)
    if sharding and len(copies) > 1:
        raise FormatError("chunk_sizes must be a single one when sharded")
    grids = tuple(Grid(Point(*size), Point(*offset), Point(*chunk_size)) for chunk_size in copies)
    if sharding and len(grids[0].morton_bits) > _ID_BITS:
        raise FormatError(f"chunk ids would need {len(grids[0].morton_bits)} bits; the format has {_ID_BITS}")
    encoding = read_member(entry, "encoding", one_of(Encoding))
    is_labels = encoding is Encoding.COMPRESSED_SEGMENTATION
    return Scale(
        level=level,
        key=read_member(entry, "key", relative_path),
        grids=grids,
        resolution_nm=read_member(entry, "resolution", resolution),
        encoding=encoding,
        label_block=read_member(entry, "compressed_segmentation_block_size", label_block)
        if is_labels
        else None,
        sharding=sharding,
        hidden=entry.get("hidden") is True,
    )


def _parse_sharding(value: object) -> ShardingSpec | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise FormatError("is not a JSON object")
    kind = read_member(value, "@type", word)
    if kind != _SHARDED_TYPE:
        raise FormatError(f"@type is {kind!r}, not {_SHARDED_TYPE!r}")
    spec = ShardingSpec(
        preshift_bits=read_member(value, "preshift_bits", bits(_ID_BITS)),
        hash=read_member(value, "hash", one_of(ShardHash)),
        minishard_bits=read_member(value, "minishard_bits", bits(32)),
        shard_bits=read_member(value, "shard_bits", bits(_ID_BITS)),
        minishard_index_encoding=read_member(
            value, "minishard_index_encoding", one_of(DataEncoding), default=DataEncoding.RAW
        ),
        data_encoding=read_member(value, "data_encoding", one_of(DataEncoding), default=DataEncoding.RAW),
    )
    if spec.minishard_bits + spec.shard_bits > _ID_BITS:
        raise FormatError(f"minishard_bits and shard_bits add up to more than {_ID_BITS}")
    return spec
