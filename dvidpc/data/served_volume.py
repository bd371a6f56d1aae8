"""One volume of the configuration and its state, and how it is planned among the others."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dvidpc.data.instance import Data, Instance
from dvidpc.sources.engines import SourceFormat
from dvidpc.sources.framing_plan import Neighbour, frame_plan
from dvidpc.sources.plan import Metadata, VolumePlan, VolumeSettings
from dvidpc.storage.base import ObjectStore

if TYPE_CHECKING:
    from dvidpc.data.volume_index import IndexSource


@dataclass(slots=True)
class Volume:
    """One volume of the configuration, and its state."""

    settings: VolumeSettings
    source_format: SourceFormat
    problem: str | None = "not opened yet"
    """Why it is not served as configured; None if it is."""
    may_pass: bool = True
    """Whether the problem may pass by itself: it is the bucket's or the environment's, not the metadata's."""
    instances: Sequence[Instance[Data]] = field(default_factory=list)
    """Its instances in the repo."""
    store: ObjectStore | None = None
    """What the instances are read from; None if there are none."""
    metadata: Metadata | None = None
    """What the instances were made from; None if there are none."""
    plan: VolumePlan | None = None
    """What its metadata alone decide; None if they have not been read."""
    planned: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the metadata have been read, or could not be."""
    served: VolumePlan | None = None
    """What the instances were made by; None if there are none."""
    complaint: str = ""
    """The last error logged about metadata that cannot be used."""
    index_source: "IndexSource | None" = None
    """Its label index; None if none is configured, or the volume is not served."""


async def plan_volume_of(volume: Volume, metadata: Metadata, volumes: Iterable[Volume]) -> VolumePlan:
    """Return the plan of *volume*. That of annotations depends on the other *volumes*, which it waits for.

    Raises:
        ConfigError: The settings do not fit the volume.
        FormatError: The metadata cannot be understood, or nothing can be served.
        StoreError: Another volume decides, and has not been opened yet.
    """
    plan = volume.plan = volume.source_format.plan(metadata, volume.settings)
    volume.planned.set()
    others = [] if plan.collection is None else [other for other in volumes if other is not volume]
    for other in others:
        if volume.problem is not None and not other.planned.is_set():
            volume.problem = f"waits for store {other.settings.alias}"
        await other.planned.wait()
    neighbours = [Neighbour(one.settings, one.plan, one.problem, one.may_pass) for one in others]
    return frame_plan(plan, volume.settings, neighbours)
