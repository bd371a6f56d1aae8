"""DVID's sparse volumes: runs of voxels along x, or masks of blocks.

A run is four int32: x, y, z of its first voxel, and its length. Runs of neighboring blocks along x are
joined. They come in DVID's order: block by block, those that end there by z and y.
(datatype/common/labels/compressed.go:1888-2377, labelmap/labelidx.go:1350-1439, 3400c2cb)
"""

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dvidpc.types import BlockCoord

Mask = NDArray[np.bool_]
"""Which voxels of a block `[z, y, x]` have the label."""
Runs = NDArray[np.int32]
"""One row x, y, z, length each."""

BLOCK_SIDE: Final = 64
RUN_SIZE: Final = 16
"""Bytes of a run."""

_SUB_BLOCKS: Final = BLOCK_SIDE // 8
_ROWS: Final = BLOCK_SIDE * BLOCK_SIDE
_NO_RUNS: Final = np.zeros((0, 4), np.int32)


def encode_runs_header(spans: int) -> bytes:
    """Return what comes before so many runs in the formats that count them."""
    return struct.pack("<4B2I", 0, 3, 0, 0, 0, spans)


def encode_runs(runs: Runs) -> bytes:
    """Return the bytes of runs."""
    return runs.astype("<i4", copy=False).tobytes()


def runs_of_blocks(xyz: NDArray[np.int32]) -> Runs:
    """Return the runs of block coordinates, one row x, y, z each, ascending by z, y and x."""
    if not len(xyz):
        return _NO_RUNS
    goes_on = (np.diff(xyz, axis=0) == (1, 0, 0)).all(axis=1)
    firsts = np.flatnonzero(np.append(True, ~goes_on))
    lengths = np.diff(firsts, append=len(xyz))
    return np.column_stack([xyz[firsts], lengths]).astype(np.int32)


class RunJoiner:
    """Turns the blocks of a label into runs, block by block; blocks come by z, y and x."""

    def __init__(self) -> None:
        self._last: BlockCoord | None = None
        self._is_open = np.zeros(_ROWS, np.bool_)
        self._starts = np.zeros(_ROWS, np.int32)

    def add(self, block: BlockCoord, mask: Mask) -> Runs:
        """Return the runs that are complete once *block* is known."""
        last, self._last = self._last, block
        before = _NO_RUNS
        if last is not None and block != (last.x + 1, last.y, last.z):
            before = self._close(last)
        rows = mask.reshape(_ROWS, BLOCK_SIDE)
        which = np.flatnonzero(rows.any(axis=1) | self._is_open)
        x = block.x * BLOCK_SIDE
        # A column before the block for open runs, and one without voxels at each end.
        padded = np.zeros((len(which), BLOCK_SIDE + 3), np.int8)
        padded[:, 1] = self._is_open[which]
        padded[:, 2:-1] = rows[which]
        steps = np.diff(padded, axis=1).reshape(-1)
        row, first = np.divmod(np.flatnonzero(steps > 0), BLOCK_SIDE + 2)
        after = np.flatnonzero(steps < 0) % (BLOCK_SIDE + 2)
        starts = np.where(first == 0, self._starts[which[row]], x + first - 1)
        goes_on = after == BLOCK_SIDE + 1
        self._is_open[:] = False
        self._is_open[which[row[goes_on]]] = True
        self._starts[which[row[goes_on]]] = starts[goes_on]
        ended = ~goes_on
        runs = _make_runs(block, which[row[ended]], starts[ended], x + after[ended] - 1)
        return runs if before is _NO_RUNS else np.concatenate([before, runs])

    def finish(self) -> Runs:
        """Return the runs that go on to the end of the last block."""
        return _NO_RUNS if self._last is None else self._close(self._last)

    def _close(self, last: BlockCoord) -> Runs:
        rows = np.flatnonzero(self._is_open)
        self._is_open[:] = False
        stop = (last.x + 1) * BLOCK_SIDE
        return _make_runs(last, rows, self._starts[rows], np.full(len(rows), stop))


def _make_runs(
    block: BlockCoord, rows: NDArray[np.intp], starts: NDArray[np.integer], stops: NDArray[np.integer]
) -> Runs:
    z, y = np.divmod(rows, BLOCK_SIDE)
    at_y, at_z = y + block.y * BLOCK_SIDE, z + block.z * BLOCK_SIDE
    return np.column_stack([starts, at_y, at_z, stops - starts]).astype(np.int32)


def encode_masks_header(label: int) -> bytes:
    """Return what comes before the masks of the blocks of *label*."""
    return struct.pack("<3IQ", _SUB_BLOCKS, _SUB_BLOCKS, _SUB_BLOCKS, label)


def encode_mask(block: BlockCoord, mask: Mask) -> bytes:
    """Return the mask of a block: its first voxel, and 1 if all have the label, or else 2 and its sub-blocks.

    A sub-block of 8^3 voxels is 0 if none has the label, 1 if all have it, or else 2 and a bit for each, the
    lowest bit first.
    """
    corner = struct.pack("<3i", *(at * BLOCK_SIDE for at in block))
    if mask.all():
        return corner + b"\1"
    n = _SUB_BLOCKS
    subs = mask.reshape(n, 8, n, 8, n, 8).transpose(0, 2, 4, 1, 3, 5).reshape(n**3, 8**3)
    counts = np.count_nonzero(subs, axis=1)
    out = np.empty((n**3, 65), np.uint8)
    out[:, 0] = np.where(counts == 0, 0, np.where(counts == 8**3, 1, 2))
    out[:, 1:] = np.packbits(subs, axis=1, bitorder="little")
    is_sent = np.ones(out.shape, np.bool_)
    is_sent[out[:, 0] != 2, 1:] = False
    return corner + b"\2" + out[is_sent].tobytes()
