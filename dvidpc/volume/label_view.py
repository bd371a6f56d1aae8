"""A chunk of labels whose voxels can be read without decoding all of them, where its encoding allows it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.data_types import Voxels
from dvidpc.formats.precomputed.label_chunk import LabelChunk
from dvidpc.formats.precomputed.label_mask import mask_of
from dvidpc.formats.precomputed.label_voxels import cut_voxels
from dvidpc.types import Point


class LabelView:
    """The view of an encoded chunk, or its voxels `[z, y, x]` if its encoding has no views."""

    __slots__ = ("chunk",)

    def __init__(self, chunk: LabelChunk | Voxels) -> None:
        self.chunk: Final = chunk

    @property
    def nbytes(self) -> int:
        """Memory that it keeps, in bytes."""
        return self.chunk.nbytes

    def crop(self, corner: Point, size: Point) -> LabelChunk | None:
        """Return a part of the chunk, as it is encoded; None if it is cut out only by decoding."""
        if isinstance(self.chunk, LabelChunk) and self.chunk.has_corner(corner):
            return self.chunk.crop(corner, size)
        return None

    def cut(self, corner: Point, size: Point) -> Voxels:
        """Return the labels `[z, y, x]` of a part of the chunk; no more is decoded than needed."""
        if isinstance(self.chunk, LabelChunk):
            return cut_voxels(self.chunk, corner, size)
        (x, y, z), (width, height, depth) = corner, size
        return self.chunk[z : z + depth, y : y + height, x : x + width]

    def mask(self, corner: Point, size: Point, label: int) -> NDArray[np.bool_]:
        """Return which voxels `[z, y, x]` of a part of the chunk have *label*."""
        part = self.crop(corner, size)
        if part is not None:
            return mask_of(part, label)
        found: NDArray[np.bool_] = self.cut(corner, size).astype(np.uint64, copy=False) == np.uint64(label)
        return found
