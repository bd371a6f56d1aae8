"""Decoders of DVID's sparse volumes that share no code with ours, and what numpy says of a label."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.volumes import XYZ

Masks = NDArray[np.bool_]
Runs = NDArray[np.int32]


def read_runs(data: bytes) -> Runs:
    """Return the runs of a volume with a header, rows x, y, z, length."""
    if not data:
        return np.zeros((0, 4), np.int32)
    assert data[:8] == bytes([0, 3, 0, 0, 0, 0, 0, 0])
    (count,) = struct.unpack_from("<I", data, 8)
    assert len(data) == 12 + 16 * count
    return np.frombuffer(data, "<i4", offset=12).reshape(-1, 4)


def voxels_of(runs: Runs) -> set[XYZ]:
    """Return the voxels of runs; each must be in one run only."""
    voxels = [(x + k, y, z) for x, y, z, length in runs.tolist() for k in range(length)]
    assert len(voxels) == len(set(voxels))
    return set(voxels)


def read_masks(data: bytes) -> tuple[int, dict[XYZ, Masks]]:
    """Return the label and the masks of a volume in the format `blocks`, by block."""
    gx, gy, gz, label = struct.unpack_from("<3IQ", data)
    assert (gx, gy, gz) == (8, 8, 8)
    masks: dict[XYZ, Masks] = {}
    at = 20
    while at < len(data):
        x, y, z, kind = struct.unpack_from("<3iB", data, at)
        at += 13
        mask = np.full((64, 64, 64), kind == 1)
        for sub in range(512 if kind == 2 else 0):
            sx, sy, sz = sub % 8, sub // 8 % 8, sub // 64
            place = mask[8 * sz : 8 * sz + 8, 8 * sy : 8 * sy + 8, 8 * sx : 8 * sx + 8]
            flag, at = data[at], at + 1
            place[:] = flag == 1
            if flag == 2:
                bits = np.frombuffer(data, np.uint8, 64, at)
                place[:] = [
                    [[bits[8 * k + j] >> i & 1 for i in range(8)] for j in range(8)] for k in range(8)
                ]
                at += 64
        masks[x // 64, y // 64, z // 64] = mask
    assert at == len(data)
    return label, masks


def where(labels: NDArray[Any], label: int, offset: XYZ = (0, 0, 0)) -> set[XYZ]:
    """Return the voxels of a volume `[z, y, x]` that have *label*."""
    x0, y0, z0 = offset
    return {(int(x) + x0, int(y) + y0, int(z) + z0) for z, y, x in np.argwhere(labels == label)}
