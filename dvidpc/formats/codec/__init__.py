"""Chunks as stored to voxels, and voxels to the payloads DVID serves.

Arrays are `[c, z, y, x]` where they come from chunks: the order in which a chunk lists its voxels,
x fastest and channel slowest.  (precomputed volume.md#chunk-encoding)

All functions here are pure and may run in any thread; decoding and encoding take milliseconds.
"""

from dvidpc.formats.codec.codecs import decode_chunk, find_obstacle, may_crash
from dvidpc.formats.codec.jpeg import JPEG_QUALITY, check_jpeg, encode_jpeg
from dvidpc.formats.codec.raw import encode_raw
from dvidpc.formats.codec.shape import ChunkShape, Voxels

__all__ = [
    "JPEG_QUALITY",
    "ChunkShape",
    "Voxels",
    "check_jpeg",
    "decode_chunk",
    "encode_jpeg",
    "encode_raw",
    "find_obstacle",
    "may_crash",
]
