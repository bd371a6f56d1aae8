"""Payloads of labels, read with other libraries and compared with DVID's recorded ones."""

import gzip

import lz4.block
import numpy as np
import pytest
from numpy.typing import NDArray

from dvidpc.errors import TooLargeError
from dvidpc.formats.dvid.google_labels import encode_google, encode_solid_google
from dvidpc.formats.dvid.label_payloads import (
    LABEL_PAYLOADS,
    RAW_ENCODERS,
    compress_gzip,
    encode_lz4,
)
from dvidpc.types import Point
from tests.label_chunks import draw_cells
from tests.recorded_labels import array, find, read_labels_block, split_frames, stored_volume

Voxels = NDArray[np.uint64]

RAW_BYTES = 8 * 64**3


def read(payload: bytes, compression: str) -> Voxels:
    """Return the voxels of a payload of 64^3 voxels."""
    if compression == "blocks":
        return read_labels_block(gzip.decompress(payload))
    if compression == "lz4":
        payload = lz4.block.decompress(payload, uncompressed_size=RAW_BYTES)
    elif compression == "gzip":
        payload = gzip.decompress(payload)
    return np.frombuffer(payload, "<u8").reshape(64, 64, 64)


@pytest.mark.parametrize("compression", LABEL_PAYLOADS)
@pytest.mark.parametrize("dtype", ["uint16", "uint32", "uint64"])
def test_other_libraries_read_the_payloads(compression: str, dtype: str) -> None:
    voxels = draw_cells(70, dtype=dtype)
    payload = LABEL_PAYLOADS[compression]
    assert payload.name == compression
    assert (read(payload.encode(voxels), compression) == voxels).all()
    assert payload.encode(voxels[..., None]) == payload.encode(voxels)


@pytest.mark.parametrize("compression", ["blocks", "lz4", "gzip"])
def test_recorded_payloads_hold_the_same_voxels(compression: str) -> None:
    recorded: dict[tuple[int, int, int], bytes] = {}
    for answer in find("wide", "specificblocks"):
        if f"compression={compression}" in answer.path:
            recorded |= split_frames(answer.body)
    assert set(recorded) == {(0, 0, 0), (1, 0, 0)}
    for (x, _, _), payload in recorded.items():
        expected = array("wide")[:, :, 64 * x : 64 * x + 64]
        ours = LABEL_PAYLOADS[compression].encode(expected)
        assert (read(payload, compression) == expected).all()
        assert (read(ours, compression) == expected).all()
        assert len(ours) < 1.2 * len(payload)


def test_recorded_blocks_of_every_compression() -> None:
    seen = set()
    for answer in find("segmentation", "specificblocks?blocks=2,2,1&compression="):
        compression = answer.path.rpartition("=")[2]
        (payload,) = split_frames(answer.body).values()
        assert (read(payload, compression) == stored_volume()[64:, 128:, 128:]).all()
        seen.add(compression)
    assert seen == set(LABEL_PAYLOADS)


def test_the_bodies_of_raw() -> None:
    size = Point(20, 10, 6)
    voxels = draw_cells(9, size)
    raw = voxels.tobytes()
    bodies = {compression: encode(voxels) for compression, encode in RAW_ENCODERS.items()}
    assert bodies[""] == raw
    assert lz4.block.decompress(bodies["lz4"], uncompressed_size=len(raw)) == raw
    assert gzip.decompress(bodies["gzip"]) == raw
    assert bodies["google"] == gzip.decompress(bodies["googlegzip"]) == encode_google(voxels)
    assert set(RAW_ENCODERS) == {"", "lz4", "gzip", "google", "googlegzip"}


def test_gzip_depends_on_nothing_but_the_data() -> None:
    assert compress_gzip(b"abc") == compress_gzip(b"abc")
    assert compress_gzip(b"abc")[4:8] == bytes(4)


def test_what_exceeds_an_lz4_block_is_refused() -> None:
    huge = np.lib.stride_tricks.as_strided(np.zeros(1, np.uint64), (1024, 1024, 256), (0, 0, 0))
    with pytest.raises(TooLargeError, match="lz4: cannot compress more than 2113929216 bytes"):
        encode_lz4(huge)


def test_a_solid_box_is_small() -> None:
    assert len(compress_gzip(encode_solid_google(Point(64, 64, 64), 0))) < 100
