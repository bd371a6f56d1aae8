"""Proposes how a volume of wider voxels can be shown as 8 bits, from what its coarsest scale holds."""

from typing import Final

import numpy as np

from dvidpc.errors import DvidpcError
from dvidpc.formats.data_types import DataType, Voxels
from dvidpc.formats.window import Window
from dvidpc.formats.window_scaling import propose_window
from dvidpc.sources.plan import VolumePlan
from dvidpc.storage.base import ObjectStore
from dvidpc.types import ChunkCoord
from dvidpc.volume.resources import Resources

_CHUNKS: Final = 64
"""Chunks that are read, evenly spread."""
_VALUES: Final = 2**18
"""Voxels that are looked at in each of them, evenly spread."""


async def propose_window_line(
    plan: VolumePlan, store: ObjectStore, resources: Resources, alias: str
) -> list[str]:
    """Return the line of a report that proposes a window; none where `propose` has nothing to propose."""
    window = await propose(plan, store, resources)
    if window is None:
        return []
    shown = f"[store.{alias}] window = [{window.low:.10g}, {window.high:.10g}]"
    return [f"NeuTu shows only 8 bits; to serve it so: {shown}"]


async def propose(plan: VolumePlan, store: ObjectStore, resources: Resources) -> Window | None:
    """Return the window from the 0.5 to the 99.5 percentile of what the coarsest scale holds, but 0.

    Returns:
        None for 8 bits, for labels, where there is a window already, and where nothing can be read.
    """
    first = plan.channels[0]
    if plan.label_types or first.window is not None or first.data_type is DataType.UINT8:
        return None
    source = plan.scales[-1].stored.open(store, resources.tools)[0]
    cells = source.grid.cells
    count = cells.x * cells.y * cells.z
    samples: list[Voxels] = []
    for number in sorted({index * count // _CHUNKS for index in range(_CHUNKS)}):
        rest, x = divmod(number, cells.x)
        z, y = divmod(rest, cells.y)
        cell = ChunkCoord(x, y, z)
        try:
            data = await source.read(cell)
            if data is not None:
                voxels = source.decode(cell, data).reshape(-1)
                samples.append(voxels[:: -(-len(voxels) // _VALUES)])
        except DvidpcError:  # damaged samples are reported elsewhere
            continue
    window = propose_window(np.concatenate(samples)) if samples else None
    return None if window is None else _rounded(window, first.data_type)


def _rounded(window: Window, data_type: DataType) -> Window | None:
    """Return a window with limits that people can read; None if nothing is between them."""
    if data_type is DataType.FLOAT32:
        low, high = float(f"{window.low:.4g}"), float(f"{window.high:.4g}")
    else:
        low, high = float(np.floor(window.low)), float(np.ceil(window.high))
    return Window(low, high) if low < high else None
