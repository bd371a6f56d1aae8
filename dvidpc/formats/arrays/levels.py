"""What a group of arrays is, once its documents are understood: levels along x, y and z."""

from dataclasses import dataclass

from dvidpc.formats.arrays.axes import AxisMap
from dvidpc.formats.arrays.spec import ArraySpec
from dvidpc.formats.grid import Grid


@dataclass(frozen=True, slots=True)
class ArrayLevel:
    """One resolution: one array."""

    level: int
    """Position in the metadata; 0 is the finest."""
    path: str
    """The array's directory relative to the one that is served; may start with `..`, may be empty."""
    spec: ArraySpec
    axes: AxisMap
    """Which dimension of the array is x, y, z and channel."""
    grid: Grid
    """The lattice of chunks along x, y and z; of inner chunks if the array is sharded."""
    resolution_nm: tuple[float, float, float]
    """Extent of a voxel along x, y and z."""


@dataclass(frozen=True, slots=True)
class RefusedLevel:
    """A level that cannot be served."""

    level: int
    reason: str
    """One line that names the path, the key and the value at fault."""


@dataclass(frozen=True, slots=True)
class ArrayVolume:
    """The levels of one image or segmentation; at least one."""

    levels: tuple[ArrayLevel, ...]
    refused: tuple[RefusedLevel, ...]
    num_channels: int
    """The same for all levels; 1 if the position on the channel axis is fixed."""
    warnings: tuple[str, ...]
    """One line each: what was assumed or rounded, and which key of the configuration says otherwise."""
    is_labels: bool | None
    """Whether voxels are ids of segments (OME `image-label`); None: the metadata does not say."""
    described_as: str
    """The dialect, for people: `OME-Zarr 0.4`, `zarr v3 array`, `N5 multiscale (COSEM)`."""
