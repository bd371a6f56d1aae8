"""Halves the resolution of labels by DVID's rule.

A voxel gets the label that most of its 2^3 finer voxels have. Label 0 has no vote, so the result is 0 only if
all of them are 0. If several labels have the most voxels, the smallest of them wins.
(datatype/common/labels/compressed.go:1208-1249, 3400c2cb)
"""

from itertools import combinations

import numpy as np

from dvidpc.formats.data_types import Voxels


def halve_labels(voxels_zyx: Voxels) -> Voxels:
    """Return unsigned integers `[z, y, x]` at half the resolution; odd sizes are padded with 0."""
    odd = [(0, n % 2) for n in voxels_zyx.shape]
    if any(after for _, after in odd):
        voxels_zyx = np.pad(voxels_zyx, odd)
    finer = np.stack([voxels_zyx[z::2, y::2, x::2] for z in range(2) for y in range(2) for x in range(2)])
    halved: Voxels = finer[0].copy()
    mixed = (finer[1:] != halved).any(axis=0)
    halved[mixed] = _elect(finer[:, mixed])
    return halved


def _elect(finer: Voxels) -> Voxels:
    """Return the winner of each column of candidates `[8, voxel]`."""
    votes = np.ones(finer.shape, np.uint8)
    for one, other in combinations(range(len(finer)), 2):
        same = finer[one] == finer[other]
        votes[one] += same
        votes[other] += same
    votes[finer == 0] = 0
    winners: Voxels = finer[0].copy()
    most = votes[0].copy()
    for candidates, count in zip(finer[1:], votes[1:], strict=True):
        better = (count > most) | ((count == most) & (candidates < winners) & (count > 0))
        winners[better] = candidates[better]
        most[better] = count[better]
    return winners
