"""Frames of the block stream."""

from dvidpc.formats.dvid.block_stream import encode_frame
from dvidpc.types import BlockCoord


def test_a_frame_is_coordinates_and_size_before_the_payload() -> None:
    payload = b"voxels"
    header, sent = encode_frame(BlockCoord(1, -2, 300), payload)
    assert header == bytes.fromhex("01000000 feffffff 2c010000 06000000")
    assert sent is payload
