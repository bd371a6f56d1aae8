"""Where a collection lies by its `info`, in voxels, and whether that fits the volume it belongs to."""

import numpy as np

from dvidpc.formats.grid import Box
from dvidpc.formats.precomputed.annotation_info import Collection
from dvidpc.formats.precomputed.annotation_roles import Roles
from dvidpc.types import Point


def voxel_bounds(collection: Collection, roles: Roles) -> Box | None:
    """Return the stated bounds of a collection; None if they are not finite or hold nothing.

    They are a hint: writers let annotations lie beyond.
    """
    if collection.upper_bound is None:
        return None
    voxels, is_placed = roles.placement.place(np.array([collection.origin, collection.upper_bound]))
    if not is_placed.all():
        return None
    (x, y, z), (to_x, to_y, to_z) = voxels.tolist()
    box = Box(Point(x, y, z), Point(to_x + 1, to_y + 1, to_z + 1))
    return None if box.is_empty else box


def describe_mismatch(collection: Collection, roles: Roles, volume: Box) -> str | None:
    """Return what is odd if the collection lies elsewhere than *volume*; None if nothing is.

    The usual reason is a unit that its writer did not state.
    """
    stated = voxel_bounds(collection, roles)
    if stated is None:
        return None
    inside = stated.intersection(volume)
    if not inside.is_empty and all(a >= b / 2 for a, b in zip(inside.size, stated.size, strict=True)):
        return None
    return (
        f"by its info the collection lies at {_shown(stated)}, but the volume at {_shown(volume)}: "
        "check the unit of its dimensions, and voxel_size"
    )


def _shown(box: Box) -> str:
    return f"{','.join(map(str, box.start))} to {','.join(map(str, box.stop))}"
