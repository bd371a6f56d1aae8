"""Which dimension of an array is x, y, z and channel, and where the others are fixed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dvidpc.errors import ConfigError, FormatError
from dvidpc.formats.arrays.selection import ArraySelection

SPATIAL: Final = ("x", "y", "z")
"""Axes that become those of the volume."""


@dataclass(frozen=True, slots=True)
class AxisMap:
    """Where the dimensions of an array go; each is the position of a dimension in the array's own order."""

    x: int
    y: int
    z: int | None
    """None: the array is a plane, one voxel thick."""
    channel: int | None
    """None: there is one channel, or its position is fixed."""
    fixed: tuple[tuple[int, int], ...] = ()
    """Further dimensions, and the position at which each is shown."""

    @property
    def xyz(self) -> tuple[int, int, int | None]:
        """The dimensions along x, y and z."""
        return self.x, self.y, self.z


def map_axes(names: Sequence[str], shape: Sequence[int], selection: ArraySelection) -> AxisMap:
    """Decide which dimension is which.

    Args:
        names: The name of each dimension.
        shape: The extent of each dimension.
        selection: Fixes positions by name.

    Raises:
        ConfigError: `at` names an axis that is not there or is spatial, or a position beyond its end.
        FormatError: x or y is missing, a name occurs twice, or another axis than c is longer than 1 and `at`
            does not fix it.
    """
    if len(names) != len(shape):
        raise FormatError(f"axes {''.join(names)!r} are {len(names)}; the array has {len(shape)} dimensions")
    where = {name: dimension for dimension, name in enumerate(names)}
    if len(where) < len(names):
        raise FormatError(f"axes {list(names)} name a dimension twice")
    if missing := [name for name in SPATIAL[:2] if name not in where]:
        raise FormatError(
            f'axes {list(names)} have no {missing[0]}; name them by the key axes, such as "zyx"'
        )
    at = dict(selection.at)
    for name in at:
        if name in SPATIAL or name not in where:
            others = [other for other in names if other not in SPATIAL]
            raise ConfigError(f"at: there is no axis {name!r} to fix; the array has {others or 'no others'}")
    fixed = []
    for name, dimension in where.items():
        if name not in SPATIAL and not (name == "c" and "c" not in at):
            fixed.append((dimension, _position(name, shape[dimension], at)))
    channel = where["c"] if "c" in where and "c" not in at else None
    return AxisMap(where["x"], where["y"], where.get("z"), channel, tuple(fixed))


def _position(name: str, extent: int, at: dict[str, int]) -> int:
    if name in at:
        if not 0 <= at[name] < extent:
            raise ConfigError(f"at: {name} = {at[name]} is not between 0 and {extent - 1}")
        return at[name]
    if extent != 1:
        raise FormatError(f"axis {name!r} has {extent} positions; choose one: at = {{ {name} = 0 }}")
    return 0
