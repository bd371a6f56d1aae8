"""Voxels of any order in memory, compared with numpy's own copy."""

import itertools

import numpy as np
import pytest

from dvidpc.formats.arrays.voxel_order import to_contiguous


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (16, 16, 16), (17, 33, 5), (64, 64, 64), (1, 50, 40), (40, 1, 50)]
)
@pytest.mark.parametrize("dtype", ["u1", ">u2", "<i4", ">u8", "<f4"])
def test_voxels_are_the_same_and_contiguous(
    order: tuple[int, ...], shape: tuple[int, int, int], dtype: str
) -> None:
    stored_shape = [shape[axis] for axis in order]
    stored = np.random.default_rng(1).integers(0, 100, stored_shape).astype(dtype)
    zyx = stored.transpose(np.argsort(order))
    ours = to_contiguous(zyx, np.dtype(dtype).newbyteorder("<"))
    assert ours.shape == shape
    assert ours.flags.c_contiguous
    assert ours.dtype == np.dtype(dtype).newbyteorder("<")
    np.testing.assert_array_equal(ours, zyx)


def test_what_is_right_already_is_not_copied() -> None:
    zyx = np.zeros((20, 20, 20), "<u2")
    assert to_contiguous(zyx, zyx.dtype) is zyx
    part = np.zeros((20, 20, 40), "<u2")[:, :, :20]
    assert to_contiguous(part, part.dtype).flags.c_contiguous
