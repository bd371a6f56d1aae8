"""Every encoding: chunks of other libraries are decoded, malformed ones are refused."""

import random
from collections.abc import Iterator

import numpy as np
import pytest

from dvidpc.errors import FormatError
from dvidpc.formats.codec import ChunkShape, decode_chunk, find_obstacle, may_crash
from dvidpc.formats.data_types import DataType
from dvidpc.formats.precomputed.info import Encoding
from dvidpc.sources.isolation import Isolation
from dvidpc.types import Point
from tests.encoders import COMBINATIONS, ENCODERS, LABEL_BLOCK, TOLERANCES, draw_voxels

SIZE = Point(22, 10, 6)
ONE_EACH = {encoding: (data_type, channels) for encoding, data_type, channels in COMBINATIONS}


def shape_of(data_type: str, channels: int, size: Point = SIZE) -> ChunkShape:
    return ChunkShape(size, channels, DataType(data_type), Point(*LABEL_BLOCK))


@pytest.fixture(scope="module")
def isolation() -> Iterator[Isolation]:
    isolation = Isolation()
    yield isolation
    isolation.close()


@pytest.mark.parametrize(("encoding", "data_type", "channels"), COMBINATIONS)
def test_what_another_library_encoded_comes_back(encoding: str, data_type: str, channels: int) -> None:
    assert find_obstacle(Encoding(encoding), DataType(data_type), channels) is None
    voxels = draw_voxels(SIZE, data_type, channels)
    shape = shape_of(data_type, channels)
    decoded = decode_chunk(ENCODERS[encoding](voxels), Encoding(encoding), shape)
    assert decoded.shape == shape.czyx
    assert decoded.dtype == shape.dtype
    difference = np.abs(decoded.T.astype(float) - voxels.astype(float)).max()
    assert difference <= TOLERANCES.get(encoding, 0)


EXTENTS = [
    (encoding, size)
    for encoding in Encoding
    for size in (Point(22, 10, 5), Point(64, 64, 64), Point(10, 22, 7))
    # Its chunks do not store their extent, so one with the same number of blocks cannot be detected.
    if encoding is not Encoding.COMPRESSED_SEGMENTATION or size.x == 64
]


@pytest.mark.parametrize(("encoding", "size"), EXTENTS)
def test_a_chunk_of_another_extent_is_refused(encoding: Encoding, size: Point, isolation: Isolation) -> None:
    data_type, channels = ONE_EACH[encoding]
    data = ENCODERS[encoding](draw_voxels(SIZE, data_type, channels))
    decode = isolation.decode if may_crash(encoding) else decode_chunk
    with pytest.raises(FormatError):
        decode(data, encoding, shape_of(data_type, channels, size))


@pytest.mark.parametrize("encoding", Encoding)
def test_hostile_bytes_never_end_the_process(encoding: Encoding, isolation: Isolation) -> None:
    data_type, channels = ONE_EACH[encoding]
    good = ENCODERS[encoding](draw_voxels(SIZE, data_type, channels))
    shape = shape_of(data_type, channels)
    decode = isolation.decode if may_crash(encoding) else decode_chunk
    drawn = random.Random(5)
    for _ in range(12 if may_crash(encoding) else 300):
        bad = bytearray(good)
        for _ in range(drawn.choice([1, 2, 8])):
            bad[drawn.randrange(len(bad))] = drawn.randrange(256)
        bad = bad[: drawn.choice([len(bad), drawn.randrange(len(bad))])]
        try:
            decoded = decode(bytes(bad), encoding, shape)
        except FormatError:
            continue
        assert decoded.shape == shape.czyx


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("keep", [0, 1, 7, 20])
def test_a_truncated_chunk_is_refused(encoding: Encoding, keep: int, isolation: Isolation) -> None:
    data_type, channels = ONE_EACH[encoding]
    data = ENCODERS[encoding](draw_voxels(SIZE, data_type, channels))[:keep]
    decode = isolation.decode if may_crash(encoding) else decode_chunk
    with pytest.raises(FormatError):
        decode(data, encoding, shape_of(data_type, channels))


@pytest.mark.parametrize("encoding", ["jpeg", "png", "jxl", "fpzip", "kempressed", "zfpc"])
@pytest.mark.parametrize("padding", [b"\0", b"\0" * 4096, b"\xaa" * 100])
def test_bytes_after_the_end_are_ignored(encoding: str, padding: bytes, isolation: Isolation) -> None:
    data_type, channels = ONE_EACH[Encoding(encoding)]
    data = ENCODERS[encoding](draw_voxels(SIZE, data_type, channels))
    decode = isolation.decode if may_crash(Encoding(encoding)) else decode_chunk
    shape = shape_of(data_type, channels)
    alone = decode(data, Encoding(encoding), shape)
    assert (decode(data + padding, Encoding(encoding), shape) == alone).all()


@pytest.mark.parametrize("encoding", ["compresso", "crackle"])
@pytest.mark.parametrize("stored", ["uint8", "uint16", "uint32"])
def test_labels_in_a_narrower_type_than_the_volumes_are_read(
    encoding: str, stored: str, isolation: Isolation
) -> None:
    voxels = draw_voxels(SIZE, stored, 1)
    data = ENCODERS[encoding](voxels)
    decoded = isolation.decode(data, Encoding(encoding), shape_of("uint64", 1))
    assert np.array_equal(decoded.T, voxels)
    wide = ENCODERS[encoding](draw_voxels(SIZE, "uint64", 1))
    with pytest.raises(FormatError, match="not "):
        isolation.decode(wide, Encoding(encoding), shape_of(stored, 1))


def test_a_decoder_that_crashes_costs_its_chunk_alone(isolation: Isolation) -> None:
    voxels = np.random.default_rng(1).random((24, 20, 16, 1)).astype(np.float32)
    shape = shape_of("float32", 1, Point(24, 20, 16))
    good = ENCODERS["fpzip"](voxels)
    with pytest.raises(FormatError, match="its decoder crashed"):
        isolation.decode(good[:40], Encoding.FPZIP, shape)
    assert (isolation.decode(good, Encoding.FPZIP, shape) == voxels.T).all()
