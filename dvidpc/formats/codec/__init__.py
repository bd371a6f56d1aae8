"""Decodes stored chunks to voxels and encodes the payloads that DVID serves.

Decoded chunks are arrays `[c, z, y, x]`, the order in which a chunk stores its voxels: x fastest, channel
slowest.  (precomputed volume.md#chunk-encoding)

All functions are pure and may run in any thread. Decoding and encoding take milliseconds, so not on the
event loop.
"""

from dvidpc.formats.codec.chunk_shape import ChunkShape
from dvidpc.formats.codec.codecs import decode_chunk, find_obstacle, may_crash
from dvidpc.formats.codec.encoded_size import max_encoded_size
from dvidpc.formats.codec.jpeg import check_jpeg, encode_jpeg
from dvidpc.formats.codec.raw_voxels import encode_raw

__all__ = [
    "ChunkShape",
    "check_jpeg",
    "decode_chunk",
    "encode_jpeg",
    "encode_raw",
    "find_obstacle",
    "max_encoded_size",
    "may_crash",
]
