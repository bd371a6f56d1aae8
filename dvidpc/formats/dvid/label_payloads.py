"""Encodes labels as DVID's labelmap sends them: the payloads of blocks, and the bodies of 3-D `raw`.

Voxels are sent as uint64, little-endian, x fastest.
(datatype/labelmap/blocks.go:129-226, compression.go:213-270, 3400c2cb)
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import imagecodecs

from dvidpc.errors import TooLargeError
from dvidpc.formats.data_types import Voxels
from dvidpc.formats.dvid.google_labels import encode_google
from dvidpc.formats.dvid.labels_block import encode_block
from dvidpc.formats.dvid.transcoding import encode_chunk
from dvidpc.formats.payloads import Payload

_GZIP_LEVEL = 1
_MAX_LZ4 = 0x7E000000
"""LZ4_MAX_INPUT_SIZE."""


def compress_gzip(data: bytes) -> bytes:
    """Return *data* as gzip, by libdeflate: three times as fast as zlib at level 1, and smaller.

    Every server writes the same bytes, so that their ETags agree. ISA-L is faster, but does not: now and then
    isal 1.9 compresses the same data in another way.
    """
    return bytes(imagecodecs.gzip_encode(data, level=_GZIP_LEVEL))


def encode_uint64(voxels_zyx: Voxels) -> bytes:
    """Return integers `[z, y, x]` as uint64."""
    return voxels_zyx.astype("<u8", copy=False).tobytes()


def encode_lz4(voxels_zyx: Voxels) -> bytes:
    """Return integers as one LZ4 block of uint64, without a size in front.

    Raises:
        TooLargeError: They exceed the size of an LZ4 block.
    """
    if 8 * voxels_zyx.size > _MAX_LZ4:
        raise TooLargeError(f"lz4: cannot compress more than {_MAX_LZ4} bytes at once; ask for less")
    return bytes(imagecodecs.lz4_encode(encode_uint64(voxels_zyx), header=False))


def encode_gzip(voxels_zyx: Voxels) -> bytes:
    """Return integers as gzip of uint64."""
    return compress_gzip(encode_uint64(voxels_zyx))


def encode_googlegzip(voxels_zyx: Voxels) -> bytes:
    """Return integers as gzip of the `google` encoding; sent with `Content-Encoding: gzip`."""
    return compress_gzip(encode_google(voxels_zyx))


BLOCKS: Final = Payload(
    "blocks",
    lambda block: compress_gzip(encode_block(block.reshape(block.shape[:3]))),
    "labels.Block",
    lambda chunk: compress_gzip(encode_chunk(chunk)),
)
LZ4: Final = Payload("lz4", encode_lz4)
GZIP: Final = Payload("gzip", encode_gzip)
LABELS_UNCOMPRESSED: Final = Payload("uncompressed", encode_uint64)
GOOGLEGZIP: Final = Payload(
    "googlegzip", lambda block: encode_googlegzip(block.reshape(block.shape[:3])), "cseg"
)
"""The body of `raw` for a box that is one block, as neuroglancer asks."""

LABEL_PAYLOADS: Final[Mapping[str, Payload]] = MappingProxyType(
    {payload.name: payload for payload in (BLOCKS, LZ4, GZIP, LABELS_UNCOMPRESSED)}
)
"""The payloads of blocks, by the value of `compression`."""

RAW_ENCODERS: Final[Mapping[str, Callable[[Voxels], bytes]]] = MappingProxyType(
    {
        "": encode_uint64,
        "lz4": encode_lz4,
        "gzip": encode_gzip,
        "google": encode_google,
        "googlegzip": encode_googlegzip,
    }
)
"""The bodies of 3-D `raw`, by the value of `compression`; each takes voxels `[z, y, x]`."""
