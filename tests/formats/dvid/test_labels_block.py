"""labels.Block, compared with DVID's recorded bytes and with a decoder that shares no code with ours."""

import gzip
import random
import struct

import numpy as np
import pytest
from numpy.typing import NDArray

from dvidpc.errors import FormatError
from dvidpc.formats.dvid.labels_block import decode_block, encode_block
from dvidpc.types import Point
from tests.label_chunks import LARGE_LABELS, draw_cells
from tests.recorded_labels import array, find, read_labels_block, split_frames, stored_volume

Voxels = NDArray[np.uint64]
SMALL = Point(2, 2, 2)


def worked_example() -> tuple[Voxels, bytes]:
    """A block of 16^3 voxels that DVID's code decodes, and its bytes with the labels in ascending order."""
    voxels = np.full((16, 16, 16), 5, np.uint64)
    voxels[:8, :8, :4] = 7
    voxels[:8, :8, 8], voxels[:8, :8, 9] = 9, 2**53 + 1
    data = struct.pack("<4I4Q", 2, 2, 2, 4, 5, 7, 9, 2**53 + 1)
    data += struct.pack("<8H", 2, 3, *[1] * 6) + struct.pack("<11I", 1, 0, 2, 3, 0, *[0] * 6)
    return voxels, data + b"\x0f" * 64 + bytes([0b00011010, 0b10101010]) * 64


def of_counts(counts: list[int]) -> Voxels:
    """A block of 64^3 voxels whose sub-blocks have these numbers of labels, in turn."""
    rng = np.random.default_rng(6)
    voxels = np.zeros((64, 64, 64), np.uint64)
    for number in range(512):
        z, y, x = (8 * (number >> shift & 7) for shift in (6, 3, 0))
        count = counts[number % len(counts)]
        labels = rng.integers(0, 2**64, count, np.uint64)
        labels[: len(LARGE_LABELS)] = LARGE_LABELS[:count]
        indexes = np.concatenate([np.arange(count), rng.integers(0, count, 512 - count)])
        voxels[z : z + 8, y : y + 8, x : x + 8] = labels[rng.permutation(indexes)].reshape(8, 8, 8)
    return voxels


BLOCKS = {
    "solid 0": np.zeros((64, 64, 64), np.uint64),
    "solid": np.full((64, 64, 64), 2**64 - 1, np.uint64),
    "cells": draw_cells(100),
    "wide": array("wide")[:, :, :64],
    "one voxel": array("wide")[:, :, 64:],
    "counts": of_counts([1, 2, 3, 5, 9, 17, 33, 65, 129, 257, 512]),
    "all": np.random.default_rng(9).permutation(64**3).astype(np.uint64).reshape(64, 64, 64),
}


def test_the_worked_example() -> None:
    voxels, data = worked_example()
    assert len(data) == 300
    assert encode_block(voxels) == data
    assert (decode_block(data, SMALL) == voxels).all()


@pytest.mark.parametrize("name", BLOCKS)
def test_an_independent_decoder_reads_the_voxels(name: str) -> None:
    data = encode_block(BLOCKS[name])
    assert (read_labels_block(data) == BLOCKS[name]).all()
    assert (decode_block(data) == BLOCKS[name]).all()


def test_a_block_of_one_label_has_24_bytes() -> None:
    assert encode_block(BLOCKS["solid"]) == struct.pack("<4IQ", 8, 8, 8, 1, 2**64 - 1)


@pytest.mark.parametrize("instance", ["segmentation", "wide"])
def test_blocks_that_dvid_wrote(instance: str) -> None:
    voxels = stored_volume() if instance == "segmentation" else array("wide")
    blocks: dict[tuple[int, int, int], bytes] = {}
    for answer in find(instance, "specificblocks?blocks="):
        if (
            "scale=1" not in answer.path
            and "scale=2" not in answer.path
            and "compression=blocks" in answer.path
        ):
            blocks |= split_frames(answer.body)
    assert len(blocks) >= 2
    for (x, y, z), payload in blocks.items():
        expected = voxels[64 * z :, 64 * y :, 64 * x :][:64, :64, :64]
        data = gzip.decompress(payload)
        assert (decode_block(data) == expected).all()
        assert len(encode_block(expected)) == len(data)


def test_a_sub_block_without_labels_is_0() -> None:
    data = struct.pack("<4I2Q", 2, 2, 2, 2, 5, 7) + struct.pack("<8H", *[0] * 7, 1) + struct.pack("<I", 1)
    decoded = decode_block(data, SMALL)
    assert decoded.sum() == 7 * 512
    assert (decoded[8:, 8:, 8:] == 7).all()


def test_other_sides_are_an_error() -> None:
    with pytest.raises(ValueError, match="multiples of 8"):
        encode_block(np.zeros((8, 8, 12), np.uint64))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "truncated"),
        (b"x" * 15, "truncated"),
        (struct.pack("<4I", 2, 2, 2, 0), "no labels"),
        (struct.pack("<4I", 2, 2, 1, 1), r"\(2, 2, 1\) sub-blocks, not \(2, 2, 2\)"),
        (struct.pack("<4I", 2, 2, 2, 2**32 - 1), "truncated"),
        (struct.pack("<4IQx", 2, 2, 2, 1, 5), "1 bytes too many"),
        (worked_example()[1][:-1], "truncated"),
        (worked_example()[1] + b"x", "1 bytes too many"),
        (worked_example()[1][:64] + b"\xff" + worked_example()[1][65:], "label is not in the list"),
        (worked_example()[1][:49] + b"\xff" + worked_example()[1][50:], "more than 512 labels"),
        (worked_example()[1][:-1] + b"\xff", "index is not in its table"),
    ],
)
def test_malformed_blocks_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        decode_block(data, SMALL)


def test_mutants_are_refused_or_read_like_the_independent_decoder() -> None:
    drawn = random.Random(13)
    _, good = worked_example()
    accepted = 0
    for _ in range(3_000):
        data = bytearray(good)
        for _ in range(drawn.choice([1, 2, 6])):
            data[drawn.randrange(len(data))] = drawn.randrange(256)
        data = data[: drawn.choice([len(data)] * 9 + [drawn.randrange(len(data))])]
        try:
            decoded = decode_block(bytes(data), SMALL)
        except FormatError:
            continue
        accepted += 1
        assert (read_labels_block(bytes(data)) == decoded).all()
    assert accepted > 300
