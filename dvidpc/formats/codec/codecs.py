"""The table of chunk encodings: what each can hold, its decoder, and the package it needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final

from dvidpc.errors import FormatError
from dvidpc.formats.codec.chunk_shape import ChunkShape
from dvidpc.formats.codec.compressed_segmentation import decode_compressed_segmentation
from dvidpc.formats.codec.compresso_crackle import decode_compresso, decode_crackle
from dvidpc.formats.codec.floats import decode_fpzip, decode_kempressed, decode_zfpc
from dvidpc.formats.codec.jpeg import decode_jpeg
from dvidpc.formats.codec.jxl import decode_jxl
from dvidpc.formats.codec.png import decode_png
from dvidpc.formats.codec.raw_voxels import decode_raw
from dvidpc.formats.data_types import DataType, Voxels
from dvidpc.formats.precomputed.info import Encoding

_BYTES = frozenset({DataType.UINT8})
_PIXELS = frozenset({DataType.UINT8, DataType.UINT16})
_LABELS = frozenset({DataType.UINT32, DataType.UINT64})
_INTEGERS = frozenset(DataType) - {DataType.FLOAT32}
_FLOATS = frozenset({DataType.FLOAT32})
_ANY = range(1, 2**31)


@dataclass(frozen=True, slots=True)
class Codec:
    """The decoder of one encoding, and the chunks it applies to."""

    decode: Callable[[bytes, ChunkShape], Voxels]
    data_types: frozenset[DataType]
    channels: range | frozenset[int]
    """Supported numbers of channels."""
    module: str | None = None
    """Optional module that the decoder imports; None if it needs none."""
    may_crash: bool = False
    """Whether malformed chunks can crash the process, so that decoding must run in another one."""


CODECS: Final[Mapping[Encoding, Codec]] = MappingProxyType(
    {
        Encoding.RAW: Codec(decode_raw, frozenset(DataType), _ANY),
        Encoding.JPEG: Codec(decode_jpeg, _BYTES, frozenset({1, 3})),
        Encoding.PNG: Codec(decode_png, _PIXELS, range(1, 5)),
        Encoding.JXL: Codec(decode_jxl, _BYTES, frozenset({1, 3, 4})),
        Encoding.COMPRESSED_SEGMENTATION: Codec(decode_compressed_segmentation, _LABELS, _ANY),
        Encoding.COMPRESSO: Codec(decode_compresso, _INTEGERS, range(1, 2), "compresso", may_crash=True),
        Encoding.CRACKLE: Codec(decode_crackle, _INTEGERS, range(1, 2), "crackle", may_crash=True),
        Encoding.FPZIP: Codec(decode_fpzip, _FLOATS, _ANY, "fpzip", may_crash=True),
        Encoding.KEMPRESSED: Codec(decode_kempressed, _FLOATS, _ANY, "fpzip", may_crash=True),
        Encoding.ZFPC: Codec(decode_zfpc, _FLOATS | {DataType.INT32}, _ANY, "zfpy", may_crash=True),
    }
)


def decode_chunk(data: bytes, encoding: Encoding, shape: ChunkShape) -> Voxels:
    """Return the voxels of an encoded chunk as an array of *shape*; may share memory with *data*.

    Raises:
        FormatError: *data* is malformed or not of *shape*. The size is checked before memory is allocated.
    """
    if not data:
        raise FormatError("chunk is empty (0 bytes)")
    try:
        return CODECS[encoding].decode(data, shape)
    except (FormatError, MemoryError):
        raise
    except Exception as error:  # codec libraries raise arbitrary exceptions on malformed data
        raise FormatError(f"malformed {encoding} chunk: {type(error).__name__}: {error}") from error


def may_crash(encoding: Encoding) -> bool:
    """Return whether decoding malformed chunks of this encoding can crash the process."""
    return CODECS[encoding].may_crash


def find_obstacle(encoding: Encoding, data_type: DataType, num_channels: int) -> str | None:
    """Return why this installation cannot decode such chunks; None if it can."""
    codec = CODECS[encoding]
    if data_type not in codec.data_types or num_channels not in codec.channels:
        return f"encoding {encoding} cannot hold {num_channels} channel(s) of {data_type}"
    if codec.module is not None and find_spec(codec.module) is None:
        return f"encoding {encoding} needs a package that is not installed: pip install 'dvidpc[codecs]'"
    return None
