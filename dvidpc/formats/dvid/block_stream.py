"""The block stream: the frames of blocks in the body of an answer.

A frame is int32 little-endian x, y, z and payload size, followed by the payload.
The stream has no header, count or trailer. Absent blocks are omitted.
(imageblk.go:1811, 3400c2cb)
"""

import struct

from dvidpc.types import BlockCoord

_FRAME_HEADER = struct.Struct("<4i")


def encode_frame(block: BlockCoord, payload: bytes) -> tuple[bytes, bytes]:
    """Return a frame as its 16-byte header and its payload, which is not copied."""
    return _FRAME_HEADER.pack(*block, len(payload)), payload
