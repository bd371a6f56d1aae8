"""No legal chunk exceeds its bound: neither noise, nor a chunk narrower than its encoding's blocks."""

import gzip
from itertools import product
from typing import Any

import brotli
import compressed_segmentation
import numpy as np
import pytest
import simplejpeg
import zfpc
from imagecodecs import jpegxl_encode, zstd_encode
from numpy.typing import NDArray

from dvidpc.formats.codec import ChunkShape, max_encoded_size
from dvidpc.formats.codec.encoded_size import ALLOWANCE, stored_size
from dvidpc.formats.data_types import DataType
from dvidpc.formats.precomputed.info import Encoding
from dvidpc.types import Point
from tests.encoders import COMBINATIONS, ENCODERS, LABEL_BLOCK, rows
from tests.volumes import XYZ

NARROW = [Point(*size) for size in product((1, 2, 3, 5), repeat=3)]
LONG = [
    Point(*size) for narrow in (1, 2, 3, 5) for size in ((narrow, 64, 64), (64, narrow, 64), (64, 64, narrow))
]
THIN = [Point(narrow, narrow, 300) for narrow in (1, 2, 3, 5)]
WHOLE = [Point(32, 32, 32), Point(33, 17, 9)]


def noise(size: XYZ, data_type: str, channels: int) -> NDArray[Any]:
    """Every bit of an integer is random, and the mantissa of a float: fpzip cannot write other noise."""
    random = np.random.default_rng(5)
    dtype = np.dtype(data_type)
    if dtype.kind == "f":
        return random.random((*size, channels), np.float32)
    voxels: NDArray[Any] = random.integers(0, 256, (*size, channels, dtype.itemsize), np.uint8).view(dtype)
    return voxels[..., 0]


def wild_floats(size: Point, channels: int) -> NDArray[np.float32]:
    """Floats with any bits but those that are no number."""
    values = noise(size, "uint32", channels).view(np.float32)
    return np.where(np.isfinite(values), values, np.float32(1))


def bound_of(encoding: Encoding, size: Point, data_type: str, channels: int) -> int:
    """Without the allowance for what is no voxels."""
    shape = ChunkShape(size, channels, DataType(data_type), Point(*LABEL_BLOCK))
    return max_encoded_size(encoding, shape) - ALLOWANCE


@pytest.mark.parametrize(("encoding", "data_type", "channels"), COMBINATIONS)
def test_noise_in_a_chunk_of_any_width_is_within_the_bound(
    encoding: str, data_type: str, channels: int
) -> None:
    # fpzip's encoder aborts the process when noise does not fit into its buffer, as in a thin chunk.
    thin = [] if encoding in {"fpzip", "kempressed"} else THIN
    for size in [*NARROW, *LONG, *thin, *WHOLE]:
        data = ENCODERS[encoding](noise(size, data_type, channels))
        # A file of a few voxels is mostly header.
        assert len(data) <= bound_of(Encoding(encoding), size, data_type, channels) + 600, size


@pytest.mark.parametrize(("encoding", "data_type", "channels"), COMBINATIONS)
@pytest.mark.parametrize("size", [Point(2, 64, 64), WHOLE[0]])
def test_noise_that_was_compressed_once_more_is_within_the_bound(
    encoding: str, data_type: str, channels: int, size: Point
) -> None:
    data = ENCODERS[encoding](noise(size, data_type, channels))
    most = bound_of(Encoding(encoding), size, data_type, channels) + 600
    assert len(gzip.compress(data, 1)) <= most
    assert len(gzip.compress(data, 0)) <= most
    assert len(zstd_encode(data)) <= most
    assert len(brotli.compress(data, quality=1)) <= most


@pytest.mark.parametrize("size", [1, 100, 10_000, 1_000_000])
def test_bytes_without_a_pattern_are_stored_within_the_bound(size: int) -> None:
    data = np.random.default_rng(5).bytes(size)
    sizes = [len(gzip.compress(data, level)) for level in (0, 1, 9)]
    assert max(*sizes, len(zstd_encode(data)), len(brotli.compress(data))) <= stored_size(size)


@pytest.mark.parametrize("axes", list(product((True, False), repeat=4)))
def test_zfpc_chunks_with_any_correlated_axes_are_within_the_bound(axes: tuple[bool, ...]) -> None:
    if not any(axes):
        return  # zfpc itself refuses it
    for size in (Point(2, 12, 10), Point(5, 3, 7), Point(1, 1, 9)):
        voxels = np.asfortranarray(wild_floats(size, 2))
        data = zfpc.compress(voxels, correlated_dims=list(axes))
        assert len(data) <= bound_of(Encoding.ZFPC, size, "float32", 2), size


@pytest.mark.parametrize("subsampling", ["444", "422", "420", "440", "411"])
@pytest.mark.parametrize("size", [Point(1, 64, 64), Point(64, 64, 1), WHOLE[1]])
def test_jpegs_of_the_best_quality_are_within_the_bound(subsampling: str, size: Point) -> None:
    pixels = rows(noise(size, "uint8", 3))
    data = simplejpeg.encode_jpeg(pixels, 100, "RGB", subsampling)
    assert len(data) <= bound_of(Encoding.JPEG, size, "uint8", 3) + 600
    grey = simplejpeg.encode_jpeg(rows(noise(size, "uint8", 1))[..., None], 100, "GRAY")
    assert len(grey) <= bound_of(Encoding.JPEG, size, "uint8", 1) + 600


@pytest.mark.parametrize("effort", [1, 3, 7])
def test_jxl_images_of_any_effort_are_within_the_bound(effort: int) -> None:
    for size in (Point(1, 64, 64), Point(3, 5, 64), WHOLE[1]):
        for options in ({"lossless": True}, {"distance": 0.1}):
            data = jpegxl_encode(rows(noise(size, "uint8", 3)), effort=effort, **options)
            assert len(data) <= bound_of(Encoding.JXL, size, "uint8", 3), size


def test_label_blocks_larger_than_the_chunk_are_within_the_bound() -> None:
    size, block = Point(2, 3, 64), Point(64, 64, 64)
    voxels = np.asfortranarray(noise(size, "uint64", 1)[..., 0])
    data = compressed_segmentation.compress(voxels, block_size=block, order="F")
    shape = ChunkShape(size, 1, DataType.UINT64, block)
    assert len(data) <= max_encoded_size(Encoding.COMPRESSED_SEGMENTATION, shape) - ALLOWANCE


def test_the_bound_is_a_bound_on_memory() -> None:
    """No encoding of an ordinary chunk may fill the memory of the server."""
    for encoding, data_type, channels in COMBINATIONS:
        shape = ChunkShape(Point(64, 64, 64), channels, DataType(data_type), Point(8, 8, 8))
        assert max_encoded_size(Encoding(encoding), shape) <= 32 * shape.nbytes + ALLOWANCE
