"""How a block of voxels becomes a payload: one value per way, chosen once for each request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from dvidpc.formats.codec import encode_jpeg, encode_raw
from dvidpc.formats.data_types import DataType, Voxels
from dvidpc.formats.precomputed.info import Encoding
from dvidpc.formats.precomputed.label_chunk import LabelChunk


@dataclass(frozen=True, slots=True)
class Payload:
    """One way to write a block."""

    name: str
    """Names the payload in requests (`compression=`) and in cache keys."""
    encode: Callable[[Voxels], bytes]
    """Writes a block `[z, y, x, value]`, or `[z, y, x]` where a voxel has one value; takes milliseconds."""
    encoded_as: str = ""
    """What a block is encoded as, in words; empty if its voxels are plain."""
    transcode: Callable[[LabelChunk], bytes] | None = None
    """Writes a block that is one compressed_segmentation chunk, or a part of one, without its voxels where
    possible. None: chunks must be decoded."""


JPEG: Final = Payload("jpeg", lambda block: encode_jpeg(block.reshape(block.shape[:3])), "JPEG")
UNCOMPRESSED: Final = Payload("uncompressed", encode_raw)

PAYLOADS: Final[Mapping[str, Payload]] = MappingProxyType({one.name: one for one in (JPEG, UNCOMPRESSED)})

_STORED_AS: Final = MappingProxyType({Encoding.JPEG: JPEG, Encoding.RAW: UNCOMPRESSED})


def payloads_for(data_type: DataType, num_values: int) -> tuple[Payload, ...]:
    """Return the payloads that can hold such voxels, the default first: JPEG for one byte of grey."""
    if data_type is DataType.UINT8 and num_values == 1:
        return JPEG, UNCOMPRESSED
    return (UNCOMPRESSED,)


def stored_payload(encoding: Encoding, num_channels: int) -> Payload | None:
    """Return the payload that a stored chunk of this encoding already is; None if it must be decoded.

    The channels of a voxel lie apart in a chunk and together in a block.
    """
    return _STORED_AS.get(encoding) if num_channels == 1 else None
