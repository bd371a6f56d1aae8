"""Chunks to voxels and back, damaged ones refused."""

import numpy as np
import pytest
import simplejpeg

from dvidpc.errors import FormatError
from dvidpc.formats.codec import ChunkShape, Voxels, decode_chunk, encode_jpeg, encode_raw
from dvidpc.formats.precomputed.info import DataType, Encoding
from dvidpc.types import Point

GREY = ChunkShape(Point(22, 10, 6), 1, DataType.UINT8)
COLOUR = ChunkShape(Point(22, 10, 6), 3, DataType.UINT8)


def smooth(shape: ChunkShape) -> Voxels:
    axes = np.meshgrid(*(np.linspace(0, 60, n) for n in shape.czyx), indexing="ij")
    voxels: Voxels = np.sum(axes, axis=0).astype(shape.dtype)
    return voxels


def grey_jpeg(voxels: Voxels, width: int) -> bytes:
    return bytes(simplejpeg.encode_jpeg(voxels.reshape(-1, width, 1), quality=95, colorspace="GRAY"))


@pytest.mark.parametrize("width", [22, 44, 10, 1320, 1])
def test_a_jpeg_of_any_width_holds_the_same_voxels(width: int) -> None:
    voxels = smooth(GREY)
    decoded = decode_chunk(grey_jpeg(voxels, width), Encoding.JPEG, GREY)
    assert decoded.shape == GREY.czyx
    assert np.abs(decoded.astype(int) - voxels).max() < 12


def test_a_colour_jpeg_gives_its_channels_apart() -> None:
    voxels = smooth(COLOUR)
    pixels = np.ascontiguousarray(np.moveaxis(voxels, 0, -1)).reshape(60, 22, 3)
    decoded = decode_chunk(
        simplejpeg.encode_jpeg(pixels, quality=98, colorspace="RGB"), Encoding.JPEG, COLOUR
    )
    assert decoded.shape == COLOUR.czyx
    assert np.abs(decoded.astype(int) - voxels).max() < 12


def test_raw_is_x_fastest_and_channel_slowest() -> None:
    shape = ChunkShape(Point(2, 3, 4), 2, DataType.UINT16)
    decoded = decode_chunk(np.arange(48, dtype="<u2").tobytes(), Encoding.RAW, shape)
    assert decoded[1, 2, 1, 1] == 24 + 2 * 6 + 1 * 2 + 1


GOOD = grey_jpeg(smooth(GREY), 22)


@pytest.mark.parametrize(
    ("data", "encoding", "reason"),
    [
        (b"", Encoding.RAW, "0 bytes"),
        (b"", Encoding.JPEG, "0 bytes"),
        (b"x" * 1319, Encoding.RAW, "1319 bytes, not 1320"),
        (b"x" * 1321, Encoding.RAW, "1321 bytes, not 1320"),
        (b"no jpeg at all", Encoding.JPEG, "damaged JPEG"),
        (GOOD[: len(GOOD) // 2], Encoding.JPEG, "cut short"),
        (GOOD[:-300] + b"\xff\xd9", Encoding.JPEG, "damaged JPEG"),
        (grey_jpeg(smooth(GREY)[:, :5], 22), Encoding.JPEG, "22x50 pixels, not 1320 voxels"),
        (
            simplejpeg.encode_jpeg(np.zeros((60, 22, 3), np.uint8), colorspace="RGB"),
            Encoding.JPEG,
            "the volume has 1 channel",
        ),
    ],
)
def test_a_damaged_chunk_is_refused(data: bytes, encoding: Encoding, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        decode_chunk(data, encoding, GREY)


def test_a_jpeg_that_claims_to_be_huge_is_refused_by_its_header() -> None:
    at = GOOD.index(b"\xff\xc0") + 5
    huge = GOOD[:at] + (65500).to_bytes(2, "big") * 2 + GOOD[at + 4 :]
    with pytest.raises(FormatError, match="65500x65500 pixels"):
        decode_chunk(huge, Encoding.JPEG, GREY)


@pytest.mark.parametrize("side", [32, 64, 128])
def test_a_block_becomes_one_jpeg_as_wide_as_the_block(side: int) -> None:
    block = np.tile(np.arange(side, dtype=np.uint8), (side, side, 1))
    height, width, colorspace, _ = simplejpeg.decode_jpeg_header(encode_jpeg(block))
    assert (width, height, colorspace) == (side, side * side, "Gray")


def test_a_block_too_tall_for_a_jpeg_becomes_wider() -> None:
    height, width, _, _ = simplejpeg.decode_jpeg_header(encode_jpeg(np.zeros((256, 256, 256), np.uint8)))
    assert int(height) * int(width) == 256**3
    assert int(height) <= 65500


def test_the_values_of_a_voxel_lie_together_in_a_raw_payload() -> None:
    block = np.arange(3 * 8, dtype=np.uint8).reshape(3, 2, 2, 2)
    assert encode_raw(np.moveaxis(block, 0, -1))[:6] == bytes([0, 8, 16, 1, 9, 17])
