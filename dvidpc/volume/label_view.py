"""A chunk of labels whose voxels can be read without decoding all of them, where its encoding allows it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dvidpc.formats.data_types import Voxels
from dvidpc.formats.precomputed.label_chunk import LabelChunk
from dvidpc.formats.precomputed.label_lookup import label_at, labels_of
from dvidpc.types import Point


@dataclass(frozen=True, slots=True, eq=False)
class LabelView:
    """The view of an encoded chunk, or its voxels `[z, y, x]` if its encoding has no views."""

    chunk: LabelChunk | Voxels

    @property
    def nbytes(self) -> int:
        """Memory that it keeps, in bytes."""
        return self.chunk.nbytes

    def read_one(self, voxel: Point) -> int:
        """Return the label of a position in the chunk."""
        if isinstance(self.chunk, LabelChunk):
            return label_at(self.chunk, voxel)
        return int(self.chunk[voxel.z, voxel.y, voxel.x])

    def read(self, voxels: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return the labels of positions in the chunk, one row x, y, z each."""
        if isinstance(self.chunk, LabelChunk):
            found = labels_of(self.chunk, voxels)
        else:
            x, y, z = voxels.T
            found = self.chunk[z, y, x]
        return found.astype(np.uint64, copy=False)
