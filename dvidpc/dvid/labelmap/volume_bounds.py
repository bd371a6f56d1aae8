"""The bounds of sparse volumes: `minx`, `maxx`, `miny`, ... in voxels, inclusive, each optional."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from multidict import MultiMapping
from numpy.typing import NDArray

from dvidpc.dvid.url.numbers import LEAST_INT32, MOST_INT32, parse_int32
from dvidpc.formats.dvid.sparse_volume import BLOCK_SIDE, Mask
from dvidpc.types import BlockCoord, Point

_AXES: Final = "xyz"


@dataclass(frozen=True, slots=True)
class Bounds:
    """A box of voxels; *last* is inclusive, and may lie before *first*."""

    first: Point
    last: Point
    are_set: bool
    """Whether the request has any bounds."""

    def touch(self, blocks: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Return which of *blocks*, one row x, y, z each, may hold voxels of the box.

        The last block is found by a division that rounds toward zero, as in DVID; one that leaves out voxels,
        as DVID's does for negative first voxels, is not. (dvid/bounds.go, 3400c2cb)
        """
        if not self.are_set:
            return np.ones(len(blocks), np.bool_)
        first = np.array(self.first) // BLOCK_SIDE
        last = np.trunc(np.array(self.last) / BLOCK_SIDE)
        touched: NDArray[np.bool_] = np.logical_and.reduce((blocks >= first) & (blocks <= last), axis=1)
        return touched

    def cut(self, block: BlockCoord, mask: Mask) -> Mask:
        """Return the mask of a block without voxels outside the box."""
        if not self.are_set:
            return mask
        spans = []
        for at, first, last in zip(block, self.first, self.last, strict=True):
            corner = at * BLOCK_SIDE
            spans.append(slice(max(first - corner, 0), max(last + 1 - corner, 0)))
        cut = np.zeros_like(mask)
        inside = tuple(reversed(spans))
        cut[inside] = mask[inside]
        return cut


def parse_bounds(query: MultiMapping[str]) -> Bounds:
    """Return the bounds of a request.

    Raises:
        RequestError: One is not an integer of 32 bits.
    """
    texts = [[query.get(f"{end}{axis}", "") for axis in _AXES] for end in ("min", "max")]
    firsts, lasts = (
        Point(*(parse_int32(text, "ParseInt") if text else default for text in of_end))
        for of_end, default in zip(texts, (LEAST_INT32, MOST_INT32), strict=True)
    )
    return Bounds(firsts, lasts, any(text for of_end in texts for text in of_end))
