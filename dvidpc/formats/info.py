"""The `info` file of a precomputed volume: liberal in what it accepts, strict in what it yields.

Spellings that any reader of the format accepts are accepted (upper-case words, `"1"`, `64.0`, a
missing `@type` or `voxel_offset`, `"sharding": null`, stray keys). What one scale has wrong costs that
scale; what the volume has wrong costs the volume.  (precomputed volume.md#info-json-file-specification)
"""

import math
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from dvidpc.errors import FormatError
from dvidpc.formats.grid import Grid
from dvidpc.formats.sharded import DataEncoding, ShardHash, ShardingSpec
from dvidpc.types import Point

MAX_INFO_SIZE = 16 * 2**20
"""Bytes of the largest `info` that is read; real ones have a few thousand."""

_MAX_SCALES = 64
_MAX_COORDINATE = 2**40
_MAX_CHUNK_VOXELS = 2**31
_LEAST_RESOLUTION, _MOST_RESOLUTION = 1e-12, 1e18
_SHARDED_TYPE = "neuroglancer_uint64_sharded_v1"
_ID_BITS = 64

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


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
    volume_type = _read(document, "type", _word)
    if volume_type != "image":
        raise FormatError(f"type is {volume_type!r}; only image volumes are served")
    data_type = _read(document, "data_type", _member(DataType))
    num_channels = _read(document, "num_channels", _positive)
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
    size = _read(entry, "size", _vector(_positive))
    offset = _read(entry, "voxel_offset", _vector(_coordinate), default=Point(0, 0, 0))
    sharding = _read(entry, "sharding", _parse_sharding, default=None)
    chunk_sizes = _read(entry, "chunk_sizes", _chunk_sizes)
    if sharding and len(chunk_sizes) > 1:
        raise FormatError("chunk_sizes must be a single one when sharded")
    grids = tuple(Grid(Point(*size), Point(*offset), Point(*chunk_size)) for chunk_size in chunk_sizes)
    if sharding and len(grids[0].morton_bits) > _ID_BITS:
        raise FormatError(f"chunk ids would need {len(grids[0].morton_bits)} bits; the format has {_ID_BITS}")
    return Scale(
        level=level,
        key=_read(entry, "key", _key),
        grids=grids,
        resolution_nm=_read(entry, "resolution", _resolution),
        encoding=_read(entry, "encoding", _member(Encoding)),
        sharding=sharding,
        hidden=entry.get("hidden") is True,
    )


def _parse_sharding(value: object) -> ShardingSpec | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise FormatError("is not a JSON object")
    kind = _read(value, "@type", _word)
    if kind != _SHARDED_TYPE:
        raise FormatError(f"@type is {kind!r}, not {_SHARDED_TYPE!r}")
    spec = ShardingSpec(
        preshift_bits=_read(value, "preshift_bits", _bits(_ID_BITS)),
        hash=_read(value, "hash", _member(ShardHash)),
        minishard_bits=_read(value, "minishard_bits", _bits(32)),
        shard_bits=_read(value, "shard_bits", _bits(_ID_BITS)),
        minishard_index_encoding=_read(
            value, "minishard_index_encoding", _member(DataEncoding), default=DataEncoding.RAW
        ),
        data_encoding=_read(value, "data_encoding", _member(DataEncoding), default=DataEncoding.RAW),
    )
    if spec.minishard_bits + spec.shard_bits > _ID_BITS:
        raise FormatError(f"minishard_bits and shard_bits add up to more than {_ID_BITS}")
    return spec


_REQUIRED: Any = object()


def _read(entry: Mapping[str, object], name: str, read: Callable[[object], T], default: T = _REQUIRED) -> T:
    if name not in entry:
        if default is _REQUIRED:
            raise FormatError(f"{name} is missing")
        return default
    try:
        return read(entry[name])
    except FormatError as error:
        raise FormatError(f"{name} {error}") from None


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise FormatError(f"is {_shown(value)}, not a word")
    return value.lower()


def _member(kind: type[E]) -> Callable[[object], E]:
    def read(value: object) -> E:
        try:
            return kind(_word(value))
        except ValueError:
            raise FormatError(f"is {_shown(value)}, not one of {', '.join(kind)}") from None

    return read


def _integer(value: object) -> int:
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


def _coordinate(value: object) -> int:
    number = _integer(value)
    if abs(number) > _MAX_COORDINATE:
        raise FormatError(f"is {number}, beyond 2^40 voxels")
    return number


def _positive(value: object) -> int:
    number = _coordinate(value)
    if number < 1:
        raise FormatError(f"is {number}, not at least 1")
    return number


def _bits(most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        number = _integer(value)
        if not 0 <= number <= most:
            raise FormatError(f"is {number}, not between 0 and {most}")
        return number

    return read


def _vector(read: Callable[[object], int]) -> Callable[[object], Point]:
    def read_vector(value: object) -> Point:
        if not isinstance(value, list) or len(value) != 3:
            raise FormatError(f"is {_shown(value)}, not three numbers")
        return Point(*(read(number) for number in value))

    return read_vector


def _chunk_sizes(value: object) -> tuple[Point, ...]:
    if not isinstance(value, list) or not value:
        raise FormatError(f"is {_shown(value)}, not a list of at least one size")
    sizes = tuple(_vector(_positive)(size) for size in value)
    for size in sizes:
        if math.prod(size) > _MAX_CHUNK_VOXELS:
            raise FormatError(f"is {list(size)}, more than 2^31 voxels a chunk")
    return sizes


def _resolution(value: object) -> tuple[float, float, float]:
    if not isinstance(value, list) or len(value) != 3:
        raise FormatError(f"is {_shown(value)}, not three numbers")
    x, y, z = (_positive_float(number) for number in value)
    return x, y, z


def _positive_float(value: object) -> float:
    try:
        number = (
            float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
        )
    except (ValueError, OverflowError):
        number = math.nan
    if not _LEAST_RESOLUTION <= number <= _MOST_RESOLUTION:
        raise FormatError(f"is {_shown(value)}, not a positive number of nanometers")
    return number


def _key(value: object) -> str:
    if not isinstance(value, str) or not value or value.startswith("/") or "://" in value or "\0" in value:
        raise FormatError(f"is {_shown(value)}, not a relative path")
    key = posixpath.normpath(value)
    return "" if key == "." else key


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
