"""Labels at half the resolution, compared with DVID's own scales and with one voxel at a time."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dvidpc.formats.dvid.downres import halve_labels
from tests.label_chunks import draw_cells
from tests.recorded_labels import array, stored_volume

Voxels = NDArray[np.unsignedinteger]


def vote(finer: list[int]) -> int:
    """Return the label of a coarse voxel."""
    votes = Counter(label for label in finer if label)
    return min(votes, key=lambda label: (-votes[label], label), default=0)


def halve_slowly(voxels: Voxels) -> list[list[list[int]]]:
    z, y, x = voxels.shape
    return [
        [
            [vote(voxels[k : k + 2, j : j + 2, i : i + 2].reshape(-1).tolist()) for i in range(0, x, 2)]
            for j in range(0, y, 2)
        ]
        for k in range(0, z, 2)
    ]


def test_scales_that_dvid_made() -> None:
    assert (halve_labels(stored_volume()) == array("scale1")).all()
    assert (halve_labels(array("scale1")) == array("scale2")).all()


@given(
    st.lists(st.integers(1, 5), min_size=3, max_size=3),
    st.lists(st.sampled_from([0, 0, 1, 2, 3, 2**63 + 7, 2**64 - 1]), min_size=1, max_size=40),
    st.integers(0, 99),
)
def test_any_labels(shape: list[int], labels: list[int], seed: int) -> None:
    voxels = np.random.default_rng(seed).choice(np.array(labels, np.uint64), tuple(shape))
    assert halve_labels(voxels).tolist() == halve_slowly(voxels)


@pytest.mark.parametrize(
    ("finer", "winner"),
    [
        ([0, 0, 0, 0, 0, 0, 0, 9], 9),
        ([0, 0, 0, 0, 0, 0, 0, 0], 0),
        ([0, 0, 0, 0, 0, 0, 8, 9], 8),
        ([0, 0, 0, 9, 9, 7, 7, 7], 7),
        ([9, 9, 9, 9, 7, 7, 7, 7], 7),
        ([2**64 - 1, 2**64 - 1, 2**53 + 1, 2**53 + 1, 2**53, 0, 0, 0], 2**53 + 1),
    ],
)
def test_the_most_frequent_label_wins_and_0_has_no_vote(finer: list[int], winner: int) -> None:
    for seed in range(5):
        voxels = np.random.default_rng(seed).permutation(np.array(finer, np.uint64)).reshape(2, 2, 2)
        assert halve_labels(voxels).tolist() == [[[winner]]]


@pytest.mark.parametrize("dtype", ["uint8", "uint32", "uint64"])
def test_the_type_stays(dtype: str) -> None:
    voxels = draw_cells(30, dtype=dtype)
    before = voxels.copy()
    assert halve_labels(voxels).dtype == voxels.dtype
    assert (voxels == before).all()
