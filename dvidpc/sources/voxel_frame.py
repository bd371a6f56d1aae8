"""Whose voxels the positions of a collection of annotations count in."""

from dataclasses import dataclass
from typing import TypeAlias

from dvidpc.formats.grid import Box

VoxelSize: TypeAlias = tuple[float, float, float]
"""The extent of a voxel along x, y and z, in nm."""


@dataclass(frozen=True, slots=True)
class VoxelFrame:
    """Whose voxels positions count in. A collection states its units; DVID's positions are voxels."""

    sync: str | None
    """The instance of the segmentation that annotations belong to; None if there is none."""
    voxel_size_nm: VoxelSize | None
    """None: positions count in the units of the collection's own dimensions."""
    reason: str
    """Where the voxel size comes from, in words."""
    extents: Box | None = None
    """All voxels of the volume that the voxel size comes from; None if it comes from no volume."""

    @property
    def explanation(self) -> str:
        """What was decided and why, in a line for the log."""
        belongs = "no segmentation" if self.sync is None else f"segmentation {self.sync}"
        return f"belongs to {belongs}; positions count {self.reason}"
