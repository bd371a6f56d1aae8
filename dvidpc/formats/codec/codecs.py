"""Every encoding: what it can hold, what decodes it, and what must be installed for that."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final

from dvidpc.errors import FormatError
from dvidpc.formats.codec.floats import decode_fpzip, decode_kempressed, decode_zfpc
from dvidpc.formats.codec.jpeg import decode_jpeg
from dvidpc.formats.codec.jxl import decode_jxl
from dvidpc.formats.codec.labels import decode_compresso, decode_crackle
from dvidpc.formats.codec.png import decode_png
from dvidpc.formats.codec.raw import decode_raw
from dvidpc.formats.codec.segmentation import decode_compressed_segmentation
from dvidpc.formats.codec.shape import ChunkShape, Voxels
from dvidpc.formats.precomputed.info import DataType, Encoding

_BYTES = frozenset({DataType.UINT8})
_PIXELS = frozenset({DataType.UINT8, DataType.UINT16})
_LABELS = frozenset({DataType.UINT32, DataType.UINT64})
_INTEGERS = frozenset(DataType) - {DataType.FLOAT32}
_FLOATS = frozenset({DataType.FLOAT32})
_ANY = range(1, 2**31)


@dataclass(frozen=True, slots=True)
class Codec:
    """How chunks of one encoding are decoded."""

    decode: Callable[[bytes, ChunkShape], Voxels]
    data_types: frozenset[DataType]
    channels: range | frozenset[int]
    module: str | None = None
    """What must be importable; None: nothing that is not always here."""
    may_crash: bool = False
    """Whether hostile bytes can end the process that decodes them, so that it must not be this one."""


CODECS: Final[Mapping[Encoding, Codec]] = MappingProxyType(
    {
        Encoding.RAW: Codec(decode_raw, frozenset(DataType), _ANY),
        Encoding.JPEG: Codec(decode_jpeg, _BYTES, frozenset({1, 3})),
        Encoding.PNG: Codec(decode_png, _PIXELS, range(1, 5), "imagecodecs"),
        Encoding.JXL: Codec(decode_jxl, _BYTES, frozenset({1, 3, 4}), "imagecodecs"),
        Encoding.COMPRESSED_SEGMENTATION: Codec(
            decode_compressed_segmentation, _LABELS, _ANY, "compressed_segmentation"
        ),
        Encoding.COMPRESSO: Codec(decode_compresso, _INTEGERS, range(1, 2), "compresso", may_crash=True),
        Encoding.CRACKLE: Codec(decode_crackle, _INTEGERS, range(1, 2), "crackle", may_crash=True),
        Encoding.FPZIP: Codec(decode_fpzip, _FLOATS, _ANY, "fpzip", may_crash=True),
        Encoding.KEMPRESSED: Codec(decode_kempressed, _FLOATS, _ANY, "fpzip", may_crash=True),
        Encoding.ZFPC: Codec(decode_zfpc, _FLOATS | {DataType.INT32}, _ANY, "zfpy", may_crash=True),
    }
)


def decode_chunk(data: bytes, encoding: Encoding, shape: ChunkShape) -> Voxels:
    """The voxels of an encoded chunk, as an array of *shape*; may share memory with *data*.

    Raises:
        FormatError: *data* is damaged, or not of *shape*; nothing much larger than *shape* was allocated.
    """
    if not data:
        raise FormatError("chunk is empty (0 bytes)")
    try:
        return CODECS[encoding].decode(data, shape)
    except (FormatError, MemoryError):
        raise
    except Exception as error:  # the libraries raise what they like where data are damaged
        raise FormatError(f"damaged {encoding} chunk: {type(error).__name__}: {error}") from error


def may_crash(encoding: Encoding) -> bool:
    """Whether decoding hostile bytes of this encoding can end the process."""
    return CODECS[encoding].may_crash


def find_obstacle(encoding: Encoding, data_type: DataType, num_channels: int) -> str | None:
    """Why chunks of this kind cannot be decoded here; None if they can."""
    codec = CODECS[encoding]
    if data_type not in codec.data_types or num_channels not in codec.channels:
        return f"encoding {encoding} cannot hold {num_channels} channel(s) of {data_type}"
    if codec.module is not None and find_spec(codec.module) is None:
        return f"encoding {encoding} needs a package that is not installed: pip install 'dvidpc[codecs]'"
    return None
