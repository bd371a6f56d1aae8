"""The block stream: how blocks follow each other in the body of an answer.

Each block is a frame: int32 little-endian x, y, z and payload size, then the payload.
There is no header, no count and no trailer; absent blocks are left out.
(imageblk.go:1811, 3400c2cb)
"""

import struct

from dvidpc.types import BlockCoord

FRAME_HEADER = struct.Struct("<4i")


def encode_frame_header(block: BlockCoord, payload_size: int) -> bytes:
    """The 16 bytes that go before a payload; the coordinate is the one that was asked for."""
    return FRAME_HEADER.pack(block.x, block.y, block.z, payload_size)
