"""The block stream: how blocks follow each other in the body of an answer.

Each block is a frame: int32 little-endian x, y, z and payload size, then the payload.
There is no header, no count and no trailer; absent blocks are left out.
(imageblk.go:1811, 3400c2cb)
"""

import struct

from dvidpc.types import BlockCoord

FRAME_HEADER = struct.Struct("<4i")


def encode_frame(block: BlockCoord, payload: bytes) -> tuple[bytes, bytes]:
    """A frame, as its 16 bytes of header and its payload, which is not copied."""
    return FRAME_HEADER.pack(*block, len(payload)), payload
