"""JPEG chunks and payloads, against images of simplejpeg and Pillow."""

from io import BytesIO

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from dvidpc.errors import FormatError
from dvidpc.formats.codec import ChunkShape, check_jpeg, decode_chunk, encode_jpeg
from dvidpc.formats.codec.jpeg import jpeg_extent
from dvidpc.formats.data_types import DataType, Voxels
from dvidpc.formats.precomputed.info import Encoding
from dvidpc.types import Point
from tests.encoders import draw_voxels, rows

GRAY = ChunkShape(Point(22, 10, 6), 1, DataType.UINT8)
COLOR = ChunkShape(Point(22, 10, 6), 3, DataType.UINT8)


def smooth(shape: ChunkShape) -> Voxels:
    axes = np.meshgrid(*(np.linspace(0, 60, n) for n in shape.czyx), indexing="ij")
    voxels: Voxels = np.sum(axes, axis=0).astype(shape.dtype)
    return voxels


def gray_jpeg(voxels: Voxels, width: int) -> bytes:
    return bytes(simplejpeg.encode_jpeg(voxels.reshape(-1, width, 1), quality=95, colorspace="GRAY"))


@pytest.mark.parametrize("width", [22, 44, 10, 1320, 1])
def test_a_jpeg_of_any_width_holds_the_same_voxels(width: int) -> None:
    voxels = smooth(GRAY)
    decoded = decode_chunk(gray_jpeg(voxels, width), Encoding.JPEG, GRAY)
    assert decoded.shape == GRAY.czyx
    assert np.abs(decoded.astype(int) - voxels).max() < 12


def test_a_color_jpeg_gives_its_channels_apart() -> None:
    voxels = smooth(COLOR)
    pixels = np.ascontiguousarray(np.moveaxis(voxels, 0, -1)).reshape(60, 22, 3)
    decoded = decode_chunk(simplejpeg.encode_jpeg(pixels, quality=98, colorspace="RGB"), Encoding.JPEG, COLOR)
    assert decoded.shape == COLOR.czyx
    assert np.abs(decoded.astype(int) - voxels).max() < 12


GOOD = gray_jpeg(smooth(GRAY), 22)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "0 bytes"),
        (b"no jpeg at all", "malformed JPEG"),
        (GOOD[: len(GOOD) // 2], "truncated JPEG"),
        (GOOD[:-300] + b"\xff\xd9", "malformed JPEG"),
        (gray_jpeg(smooth(GRAY)[:, :5], 22), "22x50 pixels, not 1320 voxels"),
        (
            simplejpeg.encode_jpeg(np.zeros((60, 22, 3), np.uint8), colorspace="RGB"),
            "the volume has 1 channel",
        ),
    ],
)
def test_a_malformed_jpeg_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        decode_chunk(data, Encoding.JPEG, GRAY)


PADDING = [
    b"\0" * 3,
    b"\0" * 100,
    b"\0" * (-len(GOOD) % 4096 + 4096),
    b"\xaa" * 5000,
    b"\xff" * 100,
    bytes(range(256)),
    GOOD,
]


def progressive() -> bytes:
    image = BytesIO()
    Image.fromarray(rows(smooth(GRAY).T)).save(image, "JPEG", quality=95, progressive=True)
    return image.getvalue()


def with_thumbnail(data: bytes) -> bytes:
    """A JPEG whose metadata hold another whole JPEG, as cameras write it."""
    inner = gray_jpeg(smooth(GRAY)[:, :1, :8], 22)
    return data[:2] + b"\xff\xe1" + (len(inner) + 2).to_bytes(2, "big") + inner + data[2:]


@pytest.mark.parametrize("padding", PADDING)
@pytest.mark.parametrize("image", [GOOD, progressive(), with_thumbnail(GOOD)])
def test_bytes_after_the_end_of_a_jpeg_are_ignored(image: bytes, padding: bytes) -> None:
    check_jpeg(image + padding, GRAY)
    alone = decode_chunk(image, Encoding.JPEG, GRAY)
    assert (decode_chunk(image + padding, Encoding.JPEG, GRAY) == alone).all()


@pytest.mark.parametrize("padding", [b"", b"\0" * 100, b"\xaa" * 5000])
@pytest.mark.parametrize("image", [GOOD, progressive(), with_thumbnail(GOOD)])
@pytest.mark.parametrize("cut", [1, 2, 100])
def test_a_jpeg_without_an_end_is_truncated_whatever_follows(image: bytes, cut: int, padding: bytes) -> None:
    with pytest.raises(FormatError, match="truncated JPEG"):
        check_jpeg(image[:-cut] + padding, GRAY)
    with pytest.raises(FormatError, match="JPEG"):
        decode_chunk(image[:-cut] + padding, Encoding.JPEG, GRAY)


def test_a_jpeg_that_claims_to_be_huge_is_refused_by_its_header() -> None:
    at = GOOD.index(b"\xff\xc0") + 5
    huge = GOOD[:at] + (65500).to_bytes(2, "big") * 2 + GOOD[at + 4 :]
    with pytest.raises(FormatError, match="65500x65500 pixels"):
        decode_chunk(huge, Encoding.JPEG, GRAY)


def test_a_progressive_jpeg_is_right_and_one_of_absurdly_many_scans_refused() -> None:
    voxels = draw_voxels(GRAY.size, "uint8", 1)
    image = BytesIO()
    Image.fromarray(rows(voxels)).save(image, "JPEG", quality=95, progressive=True)
    data = image.getvalue()
    assert b"\xff\xc2" in data
    decoded = decode_chunk(data, Encoding.JPEG, GRAY)
    assert np.abs(decoded.T.astype(int) - voxels.astype(int)).max() <= 4
    at = data.index(b"\xff\xda")
    many = data[:at] + data[at:-2] * 200 + b"\xff\xd9"
    with pytest.raises(FormatError, match="scans"):
        decode_chunk(many, Encoding.JPEG, GRAY)


@pytest.mark.parametrize("side", [32, 64, 128])
def test_a_block_becomes_one_jpeg_as_wide_as_the_block(side: int) -> None:
    block = np.tile(np.arange(side, dtype=np.uint8), (side, side, 1))
    height, width, colorspace, _ = simplejpeg.decode_jpeg_header(encode_jpeg(block))
    assert (width, height, colorspace) == (side, side * side, "Gray")


def test_a_block_too_tall_for_a_jpeg_becomes_wider() -> None:
    height, width, _, _ = simplejpeg.decode_jpeg_header(encode_jpeg(np.zeros((256, 256, 256), np.uint8)))
    assert int(height) * int(width) == 256**3
    assert int(height) <= 65500


def test_an_extent_keeps_the_number_of_pixels() -> None:
    assert jpeg_extent(Point(64, 65_500, 1)) == (64, 65_500)
    assert jpeg_extent(Point(64, 65_502, 1)) == (128, 32_751)
    assert jpeg_extent(Point(8, 65_501, 1)) == (8, 65_501)
