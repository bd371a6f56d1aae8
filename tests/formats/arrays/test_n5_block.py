"""Blocks of N5 as Java, z5py, tensorstore and damage leave them."""

import struct

import numpy as np
import pytest
import simplejpeg

from dvidpc.errors import FormatError
from dvidpc.formats.arrays.n5_block import N5Codec

CODEC = N5Codec((4, 3, 2), np.dtype(">u2"), ())
VOXELS = np.arange(24, dtype=">u2").reshape(2, 3, 4)
"""`[z, y, x]`"""


def head(size: tuple[int, ...], mode: int = 0, elements: int | None = None) -> bytes:
    more = b"" if elements is None else struct.pack(">I", elements)
    return struct.pack(f">2H{len(size)}I", mode, len(size), *size) + more


def test_a_whole_block_is_read_fastest_dimension_first() -> None:
    voxels = CODEC.decode(head((4, 3, 2)) + VOXELS.tobytes())
    np.testing.assert_array_equal(voxels, VOXELS.transpose())


@pytest.mark.parametrize("size", [(4, 3, 1), (4, 1, 2), (1, 3, 2), (1, 1, 1), (3, 2, 1)])
def test_a_short_block_is_filled_up_with_zeros(size: tuple[int, int, int]) -> None:
    x, y, z = size
    part = VOXELS[:z, :y, :x]
    voxels = CODEC.decode(head(size) + part.tobytes())
    expected = np.zeros_like(VOXELS)
    expected[:z, :y, :x] = part
    np.testing.assert_array_equal(voxels, expected.transpose())


def test_a_block_of_variable_length_with_all_its_elements_is_read() -> None:
    voxels = CODEC.decode(head((4, 3, 2), 1, 24) + VOXELS.tobytes())
    np.testing.assert_array_equal(voxels, VOXELS.transpose())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "0 bytes are too few"),
        (head((4, 3, 2))[:15], "15 bytes are too few"),
        (head((4, 3, 2), 2), "mode 'object'"),
        (head((4, 3, 2), 9), "mode '9'"),
        (head((5, 3, 2)) + bytes(60), "blockSize"),
        (head((4, 3, 0)), "blockSize"),
        (head((4, 3, 2**32 - 1)), "blockSize"),
        (head((4, 3, 2, 1)) + VOXELS.tobytes(), "in 4 dimensions"),
        (head((24,)) + VOXELS.tobytes(), "in 1 dimensions"),
        (head((4, 3, 2), 1, 23) + VOXELS.tobytes(), "23 elements"),
        (head((4, 3, 2), 1), "0 elements"),
        (head((4, 3, 2)) + VOXELS.tobytes()[:-1], "holds 47 bytes"),
        (head((4, 3, 2)) + VOXELS.tobytes() + b"\0", "holds 49 bytes"),
        (head((4, 3, 1)) + VOXELS.tobytes(), "holds 48 bytes"),
    ],
)
def test_a_damaged_block_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        CODEC.decode(data)


def test_a_jpeg_is_as_wide_as_the_block() -> None:
    codec = N5Codec((16, 8, 4), np.dtype("u1"), (), is_jpeg=True)
    grey = np.full((4, 8, 16), 77, np.uint8)
    grey[2] = 200
    image = bytes(simplejpeg.encode_jpeg(grey.reshape(32, 16, 1), 95, "GRAY"))
    assert len(image) <= codec.max_encoded_size
    np.testing.assert_allclose(codec.decode(head((16, 8, 4)) + image), grey.transpose(), atol=2)
    with pytest.raises(FormatError):
        codec.decode(head((16, 8, 2)) + image)
