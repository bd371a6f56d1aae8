"""The `google` encoding, compared with DVID's recorded bytes and read by the library."""

import gzip

import compressed_segmentation
import numpy as np
import pytest
from numpy.typing import NDArray

from dvidpc.errors import TooLargeError
from dvidpc.formats.dvid.google_labels import encode_google, encode_solid_google
from dvidpc.formats.precomputed.label_chunk import parse_label_chunk
from dvidpc.formats.precomputed.label_voxels import decode_voxels
from dvidpc.types import Point
from tests.label_chunks import CUBE, EIGHT, draw_cells, read_by_the_book
from tests.recorded_labels import Answer, array, find, stored_volume

Voxels = NDArray[np.uint64]

RECORDED = [
    answer
    for instance in ("segmentation", "wide")
    for answer in find(instance, "raw/0_1_2/")
    if "compression=google" in answer.path
]


def voxels_of(answer: Answer) -> Voxels:
    """Return the voxels that the path of a recorded answer names."""
    size, offset = (tuple(map(int, part.split("_"))) for part in answer.path.split("?")[0].split("/")[2:4])
    if "scale=1" in answer.path:
        source = array("scale1")
    elif "scale=2" in answer.path:
        source = array("scale2")
    else:
        source = array("wide") if answer.instance == "wide" else stored_volume()
    there = source[tuple(slice(o, o + n) for o, n in zip(reversed(offset), reversed(size), strict=True))]
    return np.pad(there, [(0, n - m) for n, m in zip(reversed(size), there.shape, strict=True)])


@pytest.mark.parametrize("answer", RECORDED, ids=lambda answer: f"{answer.instance}/{answer.path}")
def test_the_bytes_are_those_of_dvid(answer: Answer) -> None:
    body = gzip.decompress(answer.body) if "googlegzip" in answer.path else answer.body
    assert encode_google(voxels_of(answer)) == body


def test_there_are_enough_recordings() -> None:
    assert len(RECORDED) >= 15


@pytest.mark.parametrize(
    "size", [CUBE, Point(128, 128, 16), Point(100, 70, 50), Point(1, 1, 1), Point(9, 8, 7)]
)
def test_the_library_reads_any_box(size: Point) -> None:
    voxels = draw_cells(50, size)
    data = encode_google(voxels)
    flat = compressed_segmentation.decompress(data, tuple(size), np.uint64, (8, 8, 8), order="F")
    assert (voxels == flat.reshape(size, order="F").T).all()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64"])
def test_labels_of_any_width_become_64_bits(dtype: str) -> None:
    size = Point(10, 9, 8)
    voxels = draw_cells(20, size, dtype)
    assert read_by_the_book(encode_google(voxels), size, EIGHT, 8) == voxels.reshape(-1).tolist()


def test_every_voxel_has_another_label() -> None:
    voxels = np.random.default_rng(3).permutation(64**3).astype(np.uint64).reshape(64, 64, 64)
    assert (decode_voxels(parse_label_chunk(encode_google(voxels), CUBE, EIGHT, 8)) == voxels).all()


def test_tables_beyond_24_bits_are_refused() -> None:
    z, y, x = np.indices((192, 192, 192), np.uint16) % 8
    voxels = x + 8 * y + 64 * z  # 512 labels in each of 13,824 sub-blocks
    with pytest.raises(TooLargeError, match="google: cannot encode a box of 7077888 voxels"):
        encode_google(voxels)


@pytest.mark.parametrize("label", [0, 7, 2**64 - 1])
@pytest.mark.parametrize("size", [CUBE, Point(100, 70, 50), Point(1, 1, 1)])
def test_a_solid_box(size: Point, label: int) -> None:
    data = encode_solid_google(size, label)
    flat = compressed_segmentation.decompress(data, tuple(size), np.uint64, (8, 8, 8), order="F")
    assert set(flat.reshape(-1).tolist()) == {label}
    assert (decode_voxels(parse_label_chunk(data, size, EIGHT, 8)) == label).all()


def test_a_solid_box_of_too_many_sub_blocks_is_refused() -> None:
    with pytest.raises(TooLargeError, match="google: cannot encode a box"):
        encode_solid_google(Point(2048, 2048, 1024), 0)
