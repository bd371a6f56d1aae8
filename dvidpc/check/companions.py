"""Check what lies beside a segmentation: whether its meshes, skeletons and annotations can be read."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from dvidpc.check.fixes import Fixes
from dvidpc.check.report import Findings
from dvidpc.data.companion_opening import make_companions
from dvidpc.data.instance import Data
from dvidpc.data.keyvalue import KeyvalueData
from dvidpc.data.neuronjson import NeuronjsonData
from dvidpc.errors import DvidpcError, FormatError
from dvidpc.names import Companion
from dvidpc.sources.plan import VolumePlan
from dvidpc.storage.base import ObjectStore, cannot_list
from dvidpc.types import ChunkCoord, Finding
from dvidpc.volume.resources import Resources

_SEGMENTS: Final = 10
"""Number of segments whose meshes and skeletons are looked for."""
_CHUNKS: Final = 9
"""Number of chunks in which segments are looked for, along the diagonal of the coarsest scale."""

_SUFFIXES: Final[Mapping[Companion, str]] = MappingProxyType(
    {Companion.MESHES: ".ngmesh", Companion.SKELETONS: "_swc"}
)
"""How keys end, as neuroglancer asks for them."""


async def check_companions(
    plan: VolumePlan, store: ObjectStore, resources: Resources, fixes: Fixes
) -> Findings:
    """Read a sample of everything that the `info` names beside the chunks; nothing for an image."""
    found = Findings()
    if not plan.companions:
        return found
    segments = await _find_segments(plan, store, resources)
    made = dict(make_companions(plan, store, resources, cannot_list))
    for name, companion, directory in plan.companions:
        data = made[name]
        title = f"{name} ({data.data_type.name})"
        try:
            text, is_any = await _read_sample(data, segments)
        except DvidpcError as error:
            is_damaged = isinstance(error, FormatError)
            fix = fixes.of_companion(directory) if is_damaged else fixes.of_error(error)
            found.problems.append(Finding(f"{title}: {error}", fix))
        else:
            if is_any:
                found.lines.append(f"{title}: {text}")
            else:
                found.warnings.append(
                    Finding(f"{title}: {text}", fixes.of_no_companion(companion, directory))
                )
    return found


async def _find_segments(plan: VolumePlan, store: ObjectStore, resources: Resources) -> list[int]:
    """Return the largest segments of a few chunks; none if chunks cannot be read, which others report."""
    source = plan.scales[-1].stored.open(store, resources.tools)[0]
    last = _CHUNKS - 1
    cells = {ChunkCoord(*((n - 1) * step // last for n in source.grid.cells)) for step in range(_CHUNKS)}
    sizes: dict[int, int] = {}
    for cell in sorted(cells):
        try:
            data = await source.read(cell)
            labels = np.zeros(0) if data is None else source.decode(cell, data)
        except DvidpcError:
            continue
        for segment, size in zip(*np.unique(labels[labels > 0], return_counts=True), strict=True):
            sizes[int(segment)] = sizes.get(int(segment), 0) + int(size)
    return sorted(sizes, key=lambda segment: (-sizes[segment], segment))[:_SEGMENTS]


async def _read_sample(data: Data, segments: list[int]) -> tuple[str, bool]:
    """Return what was found, and whether anything was.

    Raises:
        DvidpcError: It cannot be read.
    """
    match data:
        case NeuronjsonData():
            count = len((await data.source.load()).ids)
            return f"read, {count} segments", count > 0
        case KeyvalueData():
            keys = [f"{segment}{_SUFFIXES[data.companion]}" for segment in segments]
            stored = [key for key in keys if await data.values.has(key)]
            if not stored:
                return f"none of {len(keys)} sampled segments has any", False
            value = await data.values.get(stored[0])
            size = len(value.data) if value else 0
            return (
                f"{len(stored)} of {len(keys)} sampled segments have one; {stored[0]} is {size} bytes",
                True,
            )
        case _:
            return "not checked", True
