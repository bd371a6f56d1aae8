"""Runs and masks of blocks against brute force, voxel by voxel."""

import struct
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvidpc.formats.dvid.sparse_volume import (
    RunJoiner,
    encode_mask,
    encode_masks_header,
    encode_runs,
    encode_runs_header,
    runs_of_blocks,
)
from dvidpc.types import BlockCoord
from tests import recorded_labels
from tests.sparse_volumes import Masks, read_masks, read_runs, voxels_of

BLOCKS = st.lists(
    st.tuples(st.integers(-2, 2), st.integers(-1, 1), st.integers(0, 1)), unique=True, max_size=6
)
KINDS = st.sampled_from(["dense", "sparse", "full", "faces", "one"])


def make_mask(kind: str, seed: int) -> Masks:
    rng = np.random.default_rng(seed)
    match kind:
        case "dense":
            return rng.random((64, 64, 64)) < 0.5
        case "sparse":
            return rng.random((64, 64, 64)) < 0.001
        case "full":
            return np.ones((64, 64, 64), np.bool_)
        case "faces":
            mask = np.zeros((64, 64, 64), np.bool_)
            mask[:, ::3, [0, -1]] = True
            return mask
        case _:
            mask = np.zeros((64, 64, 64), np.bool_)
            mask[tuple(rng.integers(0, 64, 3))] = True
            return mask


@given(BLOCKS, KINDS, st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_runs_hold_the_voxels_and_are_as_long_as_can_be(
    blocks: list[tuple[int, int, int]], kind: str, seed: int
) -> None:
    ordered = [BlockCoord(*block) for block in sorted(blocks, key=lambda b: b[::-1])]
    masks = {block: make_mask(kind, seed + n) for n, block in enumerate(ordered)}
    joiner = RunJoiner()
    runs = [joiner.add(block, mask) for block, mask in masks.items()]
    found = np.concatenate([*runs, joiner.finish()])
    # All voxels that a block can have, and one more at each end along x.
    expected, drawn = (np.zeros((128, 192, 322), np.uint8) for _ in range(2))
    for (x, y, z), mask in masks.items():
        expected[64 * z :, 64 * (y + 1) :, 64 * (x + 2) + 1 :][:64, :64, :64] = mask
    for x, y, z, length in found.tolist():
        drawn[z, y + 64, x + 129 : x + 129 + length] += 1
    assert np.array_equal(drawn, expected)
    assert len(found) == np.count_nonzero(np.diff(expected.astype(np.int8), axis=2) > 0)


def test_runs_come_in_dvids_order() -> None:
    checked = 0
    for answer in recorded_labels.index_answers():
        if (
            answer.status != 200
            or answer.varies
            or answer.method != "GET"
            or answer.instance != "segmentation"
        ):
            continue
        endpoint, _, rest = answer.path.partition("/")
        if endpoint != "sparsevol" or not rest.isdigit():
            continue
        label = int(rest)
        stored = recorded_labels.stored_volume()
        joiner = RunJoiner()
        parts = []
        for z, y, x in product(range(2), range(3), range(3)):
            mask = stored[64 * z :, 64 * y :, 64 * x :][:64, :64, :64] == label
            if mask.any():
                parts.append(joiner.add(BlockCoord(x, y, z), mask))
        runs = np.concatenate([*parts, joiner.finish()])
        assert encode_runs_header(len(runs)) + encode_runs(runs) == answer.body, answer.path
        checked += 1
    assert checked >= 5


@given(BLOCKS)
def test_runs_of_blocks_are_those_of_neighbors(blocks: list[tuple[int, int, int]]) -> None:
    xyz = np.array(sorted(blocks, key=lambda b: b[::-1]), np.int32).reshape(-1, 3)
    runs = runs_of_blocks(xyz)
    assert [[x + k, y, z] for x, y, z, length in runs.tolist() for k in range(length)] == xyz.tolist()
    assert not any([x + length, y, z] in xyz.tolist() for x, y, z, length in runs.tolist())
    assert encode_runs(runs) == b"".join(struct.pack("<4i", *run) for run in runs.tolist())


@pytest.mark.parametrize("kind", ["dense", "sparse", "full", "faces", "one"])
def test_masks_are_read_again(kind: str) -> None:
    mask = make_mask(kind, 3)
    data = encode_masks_header(2**64 - 1) + encode_mask(BlockCoord(-1, 0, 5), mask)
    label, masks = read_masks(data)
    assert label == 2**64 - 1
    assert np.array_equal(masks[-1, 0, 5], mask)
    assert len(data) == 20 + 13 if kind == "full" else len(data) > 500


def test_dvids_own_masks_are_what_we_write() -> None:
    checked = 0
    for answer in recorded_labels.index_answers():
        if answer.status == 200 and answer.body and answer.path.endswith("format=blocks"):
            label, masks = read_masks(answer.body)
            ours = encode_masks_header(label)
            ours += b"".join(encode_mask(BlockCoord(*block), mask) for block, mask in masks.items())
            assert ours == answer.body, answer.path
            checked += 1
    assert checked >= 5


def test_the_oracle_reads_runs() -> None:
    runs = np.array([[1, 2, 3, 2], [5, 5, 5, 1]], np.int32)
    assert read_runs(encode_runs_header(2) + encode_runs(runs)).tolist() == runs.tolist()
    assert voxels_of(runs) == {(1, 2, 3), (2, 2, 3), (5, 5, 5)}
