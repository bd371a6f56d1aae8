"""What the configuration says of an array beyond its place: the keys that only zarr and N5 have."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ArraySelection:
    """Which part of the arrays is served, and what their metadata does not say."""

    multiscale: str | None = None
    """Name of the multiscale to serve where a group has several; None: the first."""
    axes: str | None = None
    """Names of the dimensions, one letter each, in the array's order: `zyx`; None: as the metadata says."""
    at: tuple[tuple[str, int], ...] = ()
    """Fixed positions on axes, by name: `t`, `c` or any other but `x`, `y` and `z`."""
    resolution_nm: tuple[float, float, float] | None = None
    """Extent of a voxel of the finest level along x, y and z; None: as the metadata says."""
    ignore_offset: bool = False
    """Whether every level starts at voxel 0, whatever the metadata says."""
    dimension_separator: str | None = None
    """What separates the numbers in names of zarr v2 chunks, `.` or `/`; None: as the metadata says."""
    zarr_version: int | None = None
    """The version that the `ref` demands, 2 or 3; None: whichever is there."""
