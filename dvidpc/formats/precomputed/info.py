"""Parses the `info` file of a precomputed volume: lenient input, strict result.

Every spelling that some reader of the format accepts is accepted: upper-case words, `"1"`, `64.0`, a missing
`@type` or `voxel_offset`, `"sharding": null`, unknown keys. An error in one scale disables that scale; an
error in the volume's own keys disables the volume.  (precomputed volume.md#info-json-file-specification)
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from dvidpc.errors import FormatError
from dvidpc.formats.data_types import DataType
from dvidpc.formats.grid import Grid
from dvidpc.formats.precomputed.chunk_ids import morton_bits
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
from dvidpc.formats.precomputed.side_documents import decode_document
from dvidpc.types import Point

MAX_INFO_SIZE = 16 * 2**20
"""Size limit of an `info` file in bytes; real ones have a few thousand."""

_MAX_SCALES = 64
_GRAPHENE_KEYS = frozenset({"app", "graph"})
_SHARDED_TYPE = "neuroglancer_uint64_sharded_v1"
_ID_BITS = 64


class VolumeType(StrEnum):
    """What the voxels of a volume mean."""

    IMAGE = "image"
    SEGMENTATION = "segmentation"
    """Each voxel has the id of the segment that it belongs to."""


class Encoding(StrEnum):
    """The encoding of a scale's chunks."""

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
    """Position in the `info` file; 0 is the finest."""
    key: str
    """Directory of its chunks, relative to that of the `info` file; may lead out of it with `..`."""
    grids: tuple[Grid, ...]
    """One per entry of `chunk_sizes`; each is a complete copy of the scale."""
    resolution_nm: tuple[float, float, float]
    encoding: Encoding
    label_block: Point | None
    """`compressed_segmentation_block_size`; None for any other encoding."""
    sharding: ShardingSpec | None
    """None if the scale is unsharded: every chunk is an object."""
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
    """A scale that cannot be served."""

    level: int
    reason: str
    """One line that names the invalid key."""


class Side(StrEnum):
    """A key of an `info` that names a directory beside the chunks of a segmentation."""

    MESH = "mesh"
    SKELETONS = "skeletons"
    SEGMENT_PROPERTIES = "segment_properties"


@dataclass(frozen=True, slots=True)
class RefusedSide:
    """A directory beside the chunks that cannot be served."""

    side: Side
    reason: str
    """One line that names the invalid key."""


@dataclass(frozen=True, slots=True)
class VolumeInfo:
    """The content of an `info` file."""

    volume_type: VolumeType
    data_type: DataType
    num_channels: int
    scales: tuple[Scale, ...]
    refused: tuple[RefusedScale, ...]
    sides: Mapping[Side, str]
    """The directories beside the chunks of a segmentation, relative to that of the `info` file."""
    refused_sides: tuple[RefusedSide, ...]


def parse_info(data: bytes) -> VolumeInfo:
    """Parse an `info` file.

    Raises:
        FormatError: It is not a JSON object, not a volume that can be served, or none of its scales can.
    """
    document = decode_document(data)
    volume_type = read_member(document, "type", one_of(VolumeType))
    data_type = read_member(document, "data_type", one_of(DataType))
    num_channels = read_member(document, "num_channels", positive)
    if volume_type is VolumeType.SEGMENTATION:
        _check_labels(document.keys(), data_type, num_channels)
    entries = document.get("scales")
    if not isinstance(entries, list) or not entries:
        raise FormatError("scales is not a non-empty list")
    if len(entries) > _MAX_SCALES:
        raise FormatError(f"scales has {len(entries)} entries; the limit is {_MAX_SCALES}")

    scales: list[Scale] = []
    refused: list[RefusedScale] = []
    for level, entry in enumerate(entries):
        try:
            scales.append(_parse_scale(level, entry))
        except FormatError as error:
            refused.append(RefusedScale(level, str(error)))
    if not scales:
        raise FormatError(f"no scale can be served: scale {refused[0].level}: {refused[0].reason}")
    sides, refused_sides = _parse_sides(document) if volume_type is VolumeType.SEGMENTATION else ({}, ())
    return VolumeInfo(
        volume_type, data_type, num_channels, tuple(scales), tuple(refused), sides, refused_sides
    )


def parse_redirect(data: bytes) -> str | None:
    """Return the path or URL that an `info` file redirects to; None if it does not redirect.

    `redirect` is not in the specification; neuroglancer and cloud-volume follow it.
    """
    try:
        redirect = decode_document(data).get("redirect")
    except FormatError:
        return None
    return redirect if isinstance(redirect, str) and redirect else None


def _check_labels(keys: Collection[str], data_type: DataType, num_channels: int) -> None:
    if graphene := sorted(_GRAPHENE_KEYS.intersection(keys)):
        raise FormatError(
            f"has the key {graphene[0]!r}: this is a graphene volume, whose ids come from a chunkedgraph "
            "service; only flat segmentations are served"
        )
    if data_type is DataType.FLOAT32:
        raise FormatError("data_type is 'float32'; the ids of a segmentation are integers")
    if num_channels != 1:
        raise FormatError(f"num_channels is {num_channels}; a segmentation has 1")


def _parse_sides(document: Mapping[str, object]) -> tuple[dict[Side, str], tuple[RefusedSide, ...]]:
    """Return the directories beside the chunks, and those that cannot be served; null and "" name none."""
    sides: dict[Side, str] = {}
    refused: list[RefusedSide] = []
    for side in Side:
        if document.get(side) in {None, ""}:
            continue
        try:
            sides[side] = read_member(document, side, relative_path)
        except FormatError as error:
            refused.append(RefusedSide(side, str(error)))
    return sides, tuple(refused)


def _parse_scale(level: int, entry: object) -> Scale:
    if not isinstance(entry, dict):
        raise FormatError("is not a JSON object")
    size = read_member(entry, "size", vector(positive))
    offset = read_member(entry, "voxel_offset", vector(coordinate), default=Point(0, 0, 0))
    sharding = read_member(entry, "sharding", parse_sharding, default=None)
    copies = read_member(entry, "chunk_sizes", chunk_sizes)
    if sharding and len(copies) > 1:
        raise FormatError("chunk_sizes must have exactly one entry in a sharded scale")
    grids = tuple(Grid(Point(*size), Point(*offset), Point(*chunk_size)) for chunk_size in copies)
    if sharding and (id_bits := len(morton_bits(grids[0].cells))) > _ID_BITS:
        raise FormatError(f"chunk ids would need {id_bits} bits; the format allows {_ID_BITS}")
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


def parse_sharding(value: object) -> ShardingSpec | None:
    """Return a `sharding` member; None if it is null.

    Raises:
        FormatError: It is malformed; the message names the key.
    """
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
